"""Prints a new age public key and its secret key, as ``age-keygen`` makes them."""

import pyrage

key = pyrage.x25519.Identity.generate()
print(key.to_public(), key)
