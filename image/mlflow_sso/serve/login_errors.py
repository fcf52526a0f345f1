"""Shows none of the caller's words on the page of a login that failed: they may name a telephone number to call.

Both plugins show ``error_description`` of ``/callback``, which anybody can write into a link (RFC 6749, section
4.1.2.1, sends it by the browser), and the pages of 11.0.2 show whatever ``error`` of ``/oidc/ui/auth`` says.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from mlflow_sso.asgi import Application, Scope, Send
from mlflow_sso.patches.unverified_addresses import LOGIN_REFUSED

PAGES = "/oidc/ui"
CALLBACK = "/callback"
UNKNOWN = "The login failed. Try again, or ask an administrator."

KNOWN_ERRORS = frozenset(
    {
        UNKNOWN,
        LOGIN_REFUSED,
        "OIDC provider error",
        "Invalid state parameter",
        "Identity provider is no longer configured",
        "Authorization response came from an unexpected issuer",
        "No authorization code received",
        "OIDC configuration error: OAuth client not properly initialized.",
        "OIDC authentication not available - configuration error",
        "Failed to exchange authorization code",
        "No user information received",
        "User information from the identity provider does not match the signed-in user",
        "No username provided in OIDC userinfo",
        "Invalid OIDC username field: email is not a string",
        "Could not complete sign-in for this account",
        "Authentication failed",
        "User is not allowed to login",
        "This account cannot be used to sign in here",
        "Failed to update user/groups",
        "Failed to process authentication response",
        "session_error",
    }
)
"""What mlflow-oidc-auth 11.0.2 itself puts there (``routers/auth.py``), and we."""


class KnownLoginErrors:
    """ASGI middleware: what says that a login failed says so in the plugin's words or in ours."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith((CALLBACK, PAGES)):
            query = scope["query_string"]
            known = without_unknown_errors(query) if scope["path"].startswith(PAGES) else without_error_texts(query)
            if known != query and scope["path"].startswith(PAGES):
                # The page reads its own address.
                await _redirect(send, scope["path"], known)
                return
            scope = {**scope, "query_string": known}
        await self._application(scope, receive, send)


def without_error_texts(query: bytes) -> bytes:
    """The query of a callback; one with an error keeps only that."""
    names = {name for name, _ in _parameters(query)}
    return b"error=login_failed" if any(name.startswith("error") for name in names) else query


def without_unknown_errors(query: bytes) -> bytes:
    """The query of a page, each error that the plugin does not write replaced."""
    given = _parameters(query)
    known = [
        (name, UNKNOWN if name.startswith("error") and value not in KNOWN_ERRORS else value) for name, value in given
    ]
    return query if known == given else urlencode(known).encode()


def _parameters(query: bytes) -> list[tuple[str, str]]:
    return parse_qsl(query.decode("latin-1"), keep_blank_values=True)


async def _redirect(send: Send, path: str, query: bytes) -> None:
    location = quote("/" + path.lstrip("/")).encode() + b"?" + query
    headers = [(b"location", location), (b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
