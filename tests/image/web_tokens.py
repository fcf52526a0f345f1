"""Parts of JSON Web Tokens (RFC 7515), as tests write them."""

import base64
import json


def part(value: object) -> str:
    """A header or claims, as JSON."""
    return encoded(json.dumps(value).encode())


def encoded(data: bytes) -> str:
    """In base64 for addresses, without its padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
