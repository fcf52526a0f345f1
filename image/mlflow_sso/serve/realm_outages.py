"""Tells a browser that wants to log in that the login service does not answer, by a page, and to try again.

Both plugins answer 500 then, or lead to a page that says that the login failed, whatever the cause; once they have read
the realm's addresses, they lead to the realm even if nothing answers there.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from anyio import CapacityLimiter, Lock, current_time, to_thread

from mlflow_sso.asgi import Application, Message, Receive, Scope, Send
from mlflow_sso.patches.realm_requests import require_realm_document

LOGIN, CALLBACK = "/login", "/callback"
BEGINS = ("GET", "HEAD")
"""Methods by which a login begins; what others bring is refused as elsewhere, whether the realm is there or not."""
ASKED_SECONDS = 2.0
"""How long an answer about the realm is good for: a flood of logins asks it no more often."""
TIMEOUT_SECONDS = 5.0
RETRY_SECONDS = b"10"

PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Login not available</title></head>
<body>
<h1>The login service does not answer</h1>
<p>MLflow itself works, but no user can log in with a browser at the moment. Access keys continue to work.</p>
<p><a href="/login">Try again</a></p>
</body>
</html>
"""

Answers = Callable[[], bool]


def realm_answers(discovery_url: str) -> Answers:
    """Whether the realm's discovery document and keys can be read."""

    def answers() -> bool:
        # Only programs that use requests spend the time of its import.
        import requests

        try:
            document = require_realm_document(requests.get(discovery_url, timeout=TIMEOUT_SECONDS)).json()
            require_realm_document(requests.get(document["jwks_uri"], timeout=TIMEOUT_SECONDS))
        except (requests.RequestException, KeyError):
            return False
        return True

    return answers


class RealmOutages:
    """ASGI middleware: a login that begins or fails while the realm does not answer gets 503 and a page."""

    def __init__(self, application: Application, *, answers: Answers) -> None:
        self._application, self._answers = application, answers
        self._lock, self._limiter = Lock(), CapacityLimiter(1)
        self._known: tuple[float, bool] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in (LOGIN, CALLBACK):
            await self._application(scope, receive, send)
            return
        # Before it takes a thread of the application, which a realm that hangs would keep for seconds.
        if scope["path"] == LOGIN and scope["method"] in BEGINS and await self._is_away():
            await _send_page(send)
            return
        answer = _Answer(scope["path"], send, self._is_away)
        try:
            await self._application(scope, receive, answer.send)
        except Exception:
            # Starlette raises again what it has answered with 500.
            if not answer.is_replaced and (answer.is_started or not await self._is_away()):
                raise
            if not answer.is_replaced:
                await _send_page(send)

    async def _is_away(self) -> bool:
        async with self._lock:
            if self._known is None or current_time() - self._known[0] > ASKED_SECONDS:
                self._known = current_time(), await to_thread.run_sync(self._answers, limiter=self._limiter)
            return not self._known[1]


class _Answer:
    """The answer to a login, replaced if it says that the login failed and the realm is away."""

    def __init__(self, path: str, send: Send, is_away: Callable[[], Awaitable[bool]]) -> None:
        self._path, self._send, self._is_away = path, send, is_away
        self.is_started, self.is_replaced = False, False

    async def send(self, message: Message) -> None:
        if self.is_replaced:
            return
        if message["type"] == "http.response.start" and has_failed(self._path, message) and await self._is_away():
            self.is_replaced = True
            await _send_page(self._send)
            return
        self.is_started = True
        await self._send(message)


def has_failed(path: str, start: Message) -> bool:
    """Whether an answer says that a login failed: an error, a page in place of a redirection, or one with an error."""
    status, headers = start["status"], dict(start.get("headers", ()))
    location: Any = headers.get(b"location", b"")
    return status >= 500 or (path == CALLBACK and (status == 200 or b"error" in location))


HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-length", str(len(PAGE)).encode()),
    (b"cache-control", b"no-store"),
    (b"retry-after", RETRY_SECONDS),
]
"""Headers of the page."""


async def _send_page(send: Send) -> None:
    await send({"type": "http.response.start", "status": 503, "headers": HEADERS})
    await send({"type": "http.response.body", "body": PAGE})
