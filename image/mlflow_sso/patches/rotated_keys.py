"""Reads the realm's keys again for a token that names a new one: the plugins keep them for up to an hour.

Both do so for a wrong signature, but Keycloak gives a new key a new name, which they call an invalid token.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

UNKNOWN_KEY = "Invalid JSON Web Key Set"
"""What authlib and the plugin of 3.17.2 say of a key's name that is not in the set."""
PAUSE_SECONDS = 10.0
"""Between two reads: anybody can make up names of keys."""


class RotatedKeys:
    """``validate``, tried once more after ``read_again``, of the token, for a key that is not known."""

    def __init__(self, validate: Callable[[str], Any], read_again: Callable[[str], Any]) -> None:
        self._validate, self._read_again = validate, read_again
        self._lock, self._last = Lock(), -PAUSE_SECONDS

    def __call__(self, token: str) -> Any:
        """The claims; raises what ``validate`` raises."""
        try:
            return self._validate(token)
        except ValueError as error:
            if UNKNOWN_KEY not in str(error) or not self._may_read():
                raise
        self._read_again(token)
        return self._validate(token)

    def _may_read(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now - self._last < PAUSE_SECONDS:
                return False
            self._last = now
            return True
