"""Asks the server's real application in the process that runs it, without a network: thousands of requests a minute.

Run by a release's interpreter.
"""

import asyncio
import json
import logging
import threading
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

JSON = (("content-type", "application/json"),)


@dataclass(frozen=True, kw_only=True)
class Request:
    """``path`` as it is sent, with its query."""

    method: str
    path: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    @classmethod
    def of(cls, method: str, path: str, body: Any = None) -> "Request":
        """With a JSON body, unless it is None."""
        if body is None:
            return cls(method=method, path=path)
        return cls(method=method, path=path, headers=JSON, body=json.dumps(body).encode())


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)


def basic(user: str, key: str) -> tuple[str, str]:
    """The header of a user with an access key."""
    return "authorization", "Basic " + b64encode(f"{user}@example.com:{key}".encode()).decode()


def bearer(token: str) -> tuple[str, str]:
    """The header of a user with a token."""
    return "authorization", f"Bearer {token}"


class Application:
    """The application that every worker serves, or ``app``; opened once, with its log switched off."""

    def __init__(self, app: Any = None) -> None:
        if app is None:
            # The module opens both stores when it is imported.
            from mlflow_sso.serve.application import app

        self._app = app
        self._loop = asyncio.new_event_loop()
        # AnyIO ends the threads of a loop's first task with it: run for each request, each would start new ones.
        threading.Thread(target=self._loop.run_until_complete, args=[asyncio.Event().wait()], daemon=True).start()
        logging.disable(logging.CRITICAL)

    def ask(self, request: Request, *credentials: tuple[str, str]) -> Answer:
        """Send one request, from any thread but the loop's; an error of the application's counts as 500."""
        return asyncio.run_coroutine_threadsafe(self._ask(request, credentials), self._loop).result()

    async def _ask(self, request: Request, credentials: Sequence[tuple[str, str]]) -> Answer:
        incoming = [{"type": "http.request", "body": request.body, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if incoming:
                return incoming.pop()
            # A client that waits for its answer does not hang up.
            await asyncio.sleep(3600)
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        try:
            await self._app(self._scope(request, credentials), receive, send)
        except Exception as error:
            return Answer(status=500, body=repr(error).encode())
        return _answer(sent)

    @staticmethod
    def _scope(request: Request, credentials: Sequence[tuple[str, str]]) -> dict[str, Any]:
        path, _, query = request.path.partition("?")
        headers = [("host", "localhost"), *credentials, *request.headers]
        # As every client does; a request that brings a wrong one keeps it.
        if request.body and not any(name == "content-length" for name, _ in headers):
            headers.append(("content-length", str(len(request.body))))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            # As uvicorn hands the two paths over.
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path.encode("latin-1", "replace"),
            "query_string": query.encode("latin-1", "replace"),
            "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers],
            "server": ("127.0.0.1", 5000),
            "client": ("127.0.0.1", 50000),
            "state": {},
        }


def _answer(sent: Sequence[Mapping[str, Any]]) -> Answer:
    start = next((message for message in sent if message["type"] == "http.response.start"), None)
    if start is None:
        return Answer(status=0, body=b"")
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(status=start["status"], body=body, headers=headers)
