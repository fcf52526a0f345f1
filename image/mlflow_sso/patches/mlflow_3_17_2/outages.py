"""Tells an outage from a refusal, for the release whose plugin answers 401 also where it cannot read its users.

A client that hears that its key is wrong gives up; one that hears 503 tries again (mlflow/utils/request_utils.py,
``_TRANSIENT_FAILURE_RESPONSE_CODES``).
"""

import json
from collections.abc import Callable, MutableMapping
from typing import Any

from anyio import CapacityLimiter, to_thread

from mlflow_sso.asgi import Application, Message, Receive, Send

CREDENTIALS = frozenset({b"authorization", b"cookie"})
BODY = json.dumps(
    {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "the database of users does not answer; try again"}
).encode()
RETRY_SECONDS = b"5"


class ServiceUnavailableMiddleware:
    """ASGI middleware: where credentials are refused and ``ping`` says no, the answer is 503."""

    def __init__(self, application: Application, *, ping: Callable[[], bool]) -> None:
        self._application, self._ping = application, ping
        # A ping may wait for a database that does not answer: it must not use up the threads of requests.
        self._limiter = CapacityLimiter(2)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        shown = scope["type"] == "http" and any(name in CREDENTIALS for name, _ in scope["headers"])
        await self._application(scope, receive, self._checked(send) if shown else send)

    def _checked(self, send: Send) -> Send:
        away = False

        async def checked(message: Message) -> None:
            nonlocal away
            if message["type"] == "http.response.start" and message["status"] == 401 and not await self._answers():
                away = True
                await _send_unavailable(send)
            elif not away:
                await send(message)

        return checked

    async def _answers(self) -> bool:
        return await to_thread.run_sync(self._ping, limiter=self._limiter)


async def _send_unavailable(send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(BODY)).encode()),
        (b"retry-after", RETRY_SECONDS),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
