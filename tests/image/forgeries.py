"""Tokens with the claims of a real one that the realm has not signed."""

import base64
import hmac
import json
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from web_tokens import encoded, part


@contextmanager
def unasked_address() -> Iterator[str]:
    """The address of a listener that nothing may connect to meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
        # A connection would wait in the listener's queue.
        assert select.select([listener], [], [], 0)[0] == []


def forgeries(token: str, *, public_key: str, client_secret: str, keys_url: str) -> dict[str, str]:
    """By what is forged; ``public_key`` is the realm's, in base64 as Keycloak shows it.

    ``keys_url`` is where a token says that its key and certificate are found, which no server may ask.
    """
    head, claims, signature = token.split(".")
    pem = f"-----BEGIN PUBLIC KEY-----\n{public_key}\n-----END PUBLIC KEY-----"
    secrets = {
        "PEM": pem,
        "PEM with a last line": f"{pem}\n",
        "base64": public_key,
        "client": client_secret,
        "none": "",
    }
    known = json.loads(base64.urlsafe_b64decode(head + "=="))
    return {
        "no algorithm": f"{part({'alg': 'none', 'typ': 'JWT'})}.{claims}.",
        "no algorithm, in capitals": f"{part(known | {'alg': 'NONE'})}.{claims}.{signature}",
        "broken signature": f"{head}.{claims}.{signature[:-4]}AAAA",
        "no signature": f"{head}.{claims}",
        "empty signature": f"{head}.{claims}.",
        **{f"HS256 by {name}": _shared(known, claims, secret.encode()) for name, secret in secrets.items()},
        "HS256 by DER": _shared(known, claims, base64.b64decode(public_key)),
        **_own_keys(known, claims, keys_url),
    }


def _shared(head: dict[str, object], claims: str, secret: bytes) -> str:
    signed = f"{part(head | {'alg': 'HS256'})}.{claims}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _own_keys(head: dict[str, object], claims: str, keys_url: str) -> dict[str, str]:
    """Signed by a key of the forger, which the head of the token brings along or says where to find."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": head["kid"]}
    jwk |= {"n": encoded(numbers.n.to_bytes(256, "big")), "e": encoded(numbers.e.to_bytes(3, "big"))}
    heads = {
        "the realm's name for its key": head,
        "a name of its own": head | {"kid": "own"},
        "no name": {name: value for name, value in head.items() if name != "kid"},
        "itself": head | {"jwk": jwk},
        "a certificate": head | {"x5c": [base64.b64encode(_certificate(key)).decode()]},
        "an address": head | {"jku": keys_url, "x5u": keys_url},
        "an extension": head | {"crit": ["exp"], "jwk": jwk},
    }
    found = {}
    for name, one in heads.items():
        signed = f"{part(one)}.{claims}"
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        found[f"own key with {name}"] = f"{signed}.{encoded(signature)}"
    return found


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    """A certificate that the key has signed itself, as DER."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mlflow")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
