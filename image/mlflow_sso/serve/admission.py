"""Before login nothing is spent: judges each request by its head, and counts its body while it arrives.

The outermost ASGI middleware. What it refuses it has not read, parsed or written anywhere, and the connection closes.
``/health`` is answered here, so that it waits for no thread, no database and no other request.
"""

import json

from mlflow_sso.asgi import Application, Message, Receive, Scope, Send
from mlflow_sso.patches.access_keys import KeyChecksBusyError, busy
from mlflow_sso.serve.bodies import KEY, BodyOfRequest, ClientDisconnectedError
from mlflow_sso.serve.decoding import Decoder, UnreadableError
from mlflow_sso.serve.head import Head, Refusal, read_head, too_large

MAXIMUM_BODY = 32 << 20
"""Bytes of an API request's body at most, unless a setting says otherwise."""

CROWDED = "mlflow_sso.crowded"
"""Key of a scope's state that says that there are too many connections."""

CLOSE = (b"connection", b"close")
TOO_MANY_CONNECTIONS = Refusal(503, "too many connections; try again", ((b"retry-after", b"5"),))
TOO_MANY_KEYS = Refusal(429, "too many keys are being checked; try again", ((b"retry-after", b"1"),))
UNREADABLE = Refusal(400, "the body is not compressed as Content-Encoding says")
ERROR_CODES = {
    401: "UNAUTHENTICATED",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}


class Admission:
    """ASGI middleware in front of everything else; ``maximum_body`` in bytes."""

    def __init__(self, application: Application, *, maximum_body: int = MAXIMUM_BODY) -> None:
        self._application, self._maximum_body = application, maximum_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if scope["path"] == "/health" and scope["method"] in ("GET", "HEAD"):
            await _answer_health(send)
            return
        crowded = scope.get("state", {}).get(CROWDED)
        head = TOO_MANY_CONNECTIONS if crowded else read_head(scope, maximum_body=self._maximum_body)
        if isinstance(head, Refusal):
            await refuse(send, head, method=scope["method"])
            return
        await self._serve(scope, Exchange(head, scope, receive, send))

    async def _serve(self, scope: Scope, exchange: "Exchange") -> None:
        place = BodyOfRequest()
        token = busy.set(exchange)
        try:
            await self._application({**exchange.scope, KEY: place}, exchange.receive, exchange.send)
        except KeyChecksBusyError:
            await exchange.refuse(TOO_MANY_KEYS)
        except ClientDisconnectedError:
            # uvicorn calls an answer that never starts an error, unless the client is gone, as it is.
            pass
        finally:
            busy.reset(token)
            place.close()


class Exchange:
    """One request on its way in and its answer on its way out."""

    def __init__(self, head: Head, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._head, self._receive, self._send = head, receive, send
        self._complete, self._started, self._refused = not head.has_body, False, False
        self._received = 0
        self._decoder: Decoder | None = None
        if head.encoding is not None:
            self._decoder = Decoder(head.encoding)
            # What follows reads the body as it was before it was compressed, in chunks.
            hidden = (b"content-encoding", b"content-length", b"transfer-encoding")
            headers = [(name, value) for name, value in scope["headers"] if name not in hidden]
            self.scope = {**scope, "headers": [*headers, (b"transfer-encoding", b"chunked")]}

        self.key_checks_busy = False
        """Set by a login that could not be tried; its 401 becomes 429."""

    async def receive(self) -> Message:
        """The next piece of the body; ``http.disconnect`` once it is refused."""
        if self._refused:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] != "http.request" or self._complete:
            return message
        self._complete = not message.get("more_body", False)
        if self._head.length is not None and self._decoder is None:
            return message  # the framing holds it to the length that was judged
        return await self._counted(message)

    async def _counted(self, message: Message) -> Message:
        limit, piece = self._head.limit, message.get("body", b"")
        try:
            if self._decoder is not None:
                piece = self._decoder.decode(piece, limit=(limit or MAXIMUM_BODY) - self._received)
                if self._complete:
                    self._decoder.finish()
        except UnreadableError:
            return await self._end(UNREADABLE)
        self._received += len(piece)
        if limit is not None and self._received > limit:
            return await self._end(too_large(limit))
        return {**message, "body": piece}

    async def _end(self, refusal: Refusal) -> Message:
        await self.refuse(refusal)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Hand on a part of the answer, unless the request was refused meanwhile."""
        if self._refused:
            return
        if message["type"] == "http.response.start":
            if self.key_checks_busy and message["status"] == 401:
                await self.refuse(TOO_MANY_KEYS)
                return
            self._started = True
            if not self._complete:
                # The rest of the body is not wanted, and the next request would begin behind it.
                headers = [header for header in message.get("headers", ()) if header[0].lower() != b"connection"]
                message = {**message, "headers": [*headers, CLOSE]}
        await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with ``refusal`` in place of the application, if it has not begun to answer."""
        self._refused = True
        if not self._started:
            await refuse(self._send, refusal, method=self.scope["method"])


async def refuse(send: Send, refusal: Refusal, *, method: str) -> None:
    """Send an error as MLflow's clients read it, and close the connection: the rest of the body is not wanted."""
    code = ERROR_CODES.get(refusal.status, "BAD_REQUEST")
    body = json.dumps({"error_code": code, "message": refusal.reason}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *refusal.headers,
        CLOSE,
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


async def _answer_health(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"OK"})
