"""Names each request: by the X-Request-Id of a trusted proxy, or by a new one that the answer bears."""

import ipaddress
import re
import secrets
from collections.abc import Sequence

from mlflow_sso.asgi import Scope

HEADER = b"x-request-id"
_ALLOWED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""No character that could end a line of a log, or begin another field."""

Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]


def trusted_networks(text: str) -> Networks:
    """The addresses and networks of TRUSTED_PROXIES, which commas separate."""
    return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]


def is_from_proxy(scope: Scope, trusted: Networks) -> bool:
    """Whether the connection comes from one of ``trusted``."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0]) if client else None
    except ValueError:
        return False
    return address is not None and any(address in network for network in trusted)


def client_address(scope: Scope, *, from_proxy: bool) -> str:
    """The address of the connection, or the last one that a trusted proxy adds; empty if there is none."""
    client = scope.get("client")
    own = str(client[0]) if client else ""
    forwarded = next((value for name, value in scope["headers"] if name == b"x-forwarded-for"), b"")
    last = forwarded.rpartition(b",")[2].strip().decode("latin-1") if from_proxy else ""
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return own


def request_id(scope: Scope, *, from_proxy: bool) -> str:
    """The name of a request; what a client says of itself is not believed."""
    given = next((value for name, value in scope["headers"] if name == HEADER), b"") if from_proxy else b""
    return given.decode() if _ALLOWED.fullmatch(given) else secrets.token_hex(16)
