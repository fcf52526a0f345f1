"""Serves MLflow's Flask application to ASGI: bodies whole, answers in pieces, no thread waits for a client.

It stands in the place of Starlette's adapter (3.6.0) and of asgiref's (3.17.2). The first adds a body up in one string
and queues as much of an answer as the client has not taken; the second keeps all requests in one thread. Both tell
Flask of a chunked body that its length is unknown, which Werkzeug takes for an empty one
(werkzeug.wsgi.get_input_stream), and both hold a thread while a client is slow. MLflow reads artifacts line by line,
and each of those crosses from a thread to the event loop by itself: of 200 MiB, 800,000.
"""

import sys
from asyncio import get_running_loop
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any

from anyio import from_thread, to_thread

from mlflow_sso.asgi import Message, Receive, Scope, Send
from mlflow_sso.serve.admission import TOO_MUCH_WORK, refuse
from mlflow_sso.serve.bodies import LARGE, Body, large_bodies, read_body
from mlflow_sso.serve.head import has_credentials, is_artifact
from mlflow_sso.serve.threads import BusyError, Slot, Slots

PIECE = 1 << 16
"""Bytes of an answer that are sent at once. One piece waits here for a slow client, and one in the transport."""

PATIENCE_SECONDS = 0.5
"""How long an answer waits for its client before its slot is given to another request."""

WsgiApplication = Callable[..., Iterable[bytes]]

slots = Slots()


class WsgiAdapter:
    """ASGI application that runs a WSGI application in a thread."""

    def __init__(self, application: WsgiApplication, *, slots: Slots = slots) -> None:
        self._application, self._slots = application, slots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(scope, receive)
        async with AsyncExitStack() as stack:
            if body.size > LARGE and not is_artifact(scope):
                await stack.enter_async_context(large_bodies)
            try:
                slot = await stack.enter_async_context(self._slots.take(anonymous=not has_credentials(scope)))
            except BusyError:
                await refuse(send, TOO_MUCH_WORK, method=scope["method"])
                return
            answer = Answer(self._application, build_environ(scope, body), send, slot)
            await to_thread.run_sync(answer.run, limiter=self._slots.threads)


class Answer:
    """One run of the WSGI application, in a thread, and its way to the client."""

    def __init__(self, application: WsgiApplication, environ: dict[str, Any], send: Send, slot: Slot) -> None:
        self._application, self._environ, self._send, self._slot = application, environ, send, slot
        self._start: Message | None = None
        self._started = False

    def run(self) -> None:
        """Call the application and send its answer, in pieces of some size; a small one crosses to the loop once."""
        chunks = self._application(self._environ, self._start_response)
        waiting = bytearray()
        try:
            for chunk in chunks:
                waiting += chunk
                if len(waiting) >= PIECE:
                    from_thread.run(self._deliver, bytes(waiting), True)
                    waiting.clear()
            from_thread.run(self._deliver, bytes(waiting), False)
        finally:
            # PEP 3333; MLflow deletes its copy of an artifact then.
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., None]:
        if self._started and exc_info:
            raise exc_info[1].with_traceback(exc_info[2])
        encoded = [(name.strip().lower().encode("latin1"), value.strip().encode("latin1")) for name, value in headers]
        self._start = {"type": "http.response.start", "status": int(status.split(" ", 1)[0]), "headers": encoded}
        return lambda piece: from_thread.run(self._deliver, piece, True)

    async def _deliver(self, piece: bytes, more: bool) -> None:
        timer = get_running_loop().call_later(PATIENCE_SECONDS, self._slot.release)
        try:
            if not self._started:
                if self._start is None:
                    raise RuntimeError("the application sent a body before it called start_response")
                self._started = True
                await self._send(self._start)
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})
        finally:
            timer.cancel()


def build_environ(scope: Scope, body: Body) -> dict[str, Any]:
    """What PEP 3333 asks for; the length is that of the complete body, however it was sent."""
    root = scope.get("root_path", "").encode().decode("latin1")
    server, client = scope.get("server") or ("localhost", 80), scope.get("client")
    return {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root,
        "PATH_INFO": scope["path"].encode().decode("latin1").removeprefix(root),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        **({"REMOTE_ADDR": client[0]} if client else {}),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body.file,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **_headers(scope["headers"]),
        "CONTENT_LENGTH": str(body.size),
    }


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for raw_name, raw_value in headers:
        # An underscore could stand for a hyphen: X_Forwarded_For would be X-Forwarded-For. The framing was ours to
        # read.
        if b"_" in raw_name or raw_name == b"transfer-encoding":
            continue
        name, value = raw_name.decode("latin1").upper().replace("-", "_"), raw_value.decode("latin1")
        name = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        separator = "; " if name == "HTTP_COOKIE" else ","
        variables[name] = f"{variables[name]}{separator}{value}" if name in variables else value
    return variables
