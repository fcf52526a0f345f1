"""Before login nothing is spent: judges each request by its head, and counts its body while it arrives.

The outermost ASGI middleware. What it refuses it has not read, parsed or written anywhere, and the connection closes.
``/health`` is answered here, so that it waits for no thread, no database and no other request.
"""

import json
from collections.abc import Iterable

from mlflow_sso.asgi import Application, Message, Receive, Scope, Send
from mlflow_sso.patches.access_keys import KeyChecksBusyError, busy
from mlflow_sso.serve.bodies import IN_MEMORY, KEY, BodyOfRequest, ClientDisconnectedError
from mlflow_sso.serve.decoding import Decoder, UnreadableError
from mlflow_sso.serve.disk import DiskSpace, Reservation
from mlflow_sso.serve.head import Head, Refusal, is_artifact, read_head, too_large
from mlflow_sso.serve.refusals import refusals
from mlflow_sso.serve.typed_variables import NUMBERS

MAXIMUM_BODY = NUMBERS["MLFLOW_SSO_MAXIMUM_BODY_SIZE"].default
"""Bytes of an API request's body at most, unless a setting says otherwise."""

CROWDED = "mlflow_sso.crowded"
"""Key of a scope's state that says that there are too many connections."""

HEALTH = "/health"
CLOSE = (b"connection", b"close")
TOO_MANY_CONNECTIONS = Refusal(503, "too many connections; try again", ((b"retry-after", b"5"),))
TOO_MUCH_WORK = Refusal(503, "too many requests are being worked on; try again", ((b"retry-after", b"5"),))
TOO_MANY_KEYS = Refusal(429, "too many keys are being checked; try again", ((b"retry-after", b"1"),))
KEYS_UNREADABLE = Refusal(503, "the realm's keys cannot be read now; try again", ((b"retry-after", b"5"),))
NO_ROOM = Refusal(503, "no room for the body now; try again", ((b"retry-after", b"5"),))
UNREADABLE = Refusal(400, "the body is not compressed as Content-Encoding says")
REASONS = {
    TOO_MANY_CONNECTIONS: "connections",
    TOO_MUCH_WORK: "work",
    TOO_MANY_KEYS: "key_checks",
    NO_ROOM: "room",
    KEYS_UNREADABLE: "realm",
}
REASONS_BY_STATUS = {401: "login", 413: "size"}
"""For the metrics; all others are in the head of the request."""
ERROR_CODES = {
    401: "UNAUTHENTICATED",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}


class Admission:
    """ASGI middleware in front of everything else; ``maximum_body`` in bytes."""

    def __init__(
        self, application: Application, *, maximum_body: int = MAXIMUM_BODY, space: DiskSpace | None = None
    ) -> None:
        self._application, self._maximum_body, self._space = application, maximum_body, space or DiskSpace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if scope["path"] == HEALTH and scope["method"] in ("GET", "HEAD"):
            await _answer_health(send)
            return
        crowded = scope.get("state", {}).get(CROWDED)
        head = TOO_MANY_CONNECTIONS if crowded else read_head(scope, maximum_body=self._maximum_body)
        if isinstance(head, Refusal):
            await refuse(send, head, method=scope["method"])
            return
        await self._serve(scope, Exchange(head, scope, receive, send, space=self._space))

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
            exchange.disk.release()


class Exchange:
    """One request on its way in and its answer on its way out."""

    def __init__(self, head: Head, scope: Scope, receive: Receive, send: Send, *, space: DiskSpace) -> None:
        self.scope = scope
        self._head, self._receive, self._send = head, receive, send
        self._complete, self._started, self._refused = not head.has_body, False, False
        self._received = self._reserved = 0
        # MLflow makes a copy of its own of an artifact.
        self._copies = 2 if is_artifact(scope) else 1
        self.disk = Reservation(space)
        """The room that its body, and the artifact of its answer, take in the temporary directory."""
        self._decoder: Decoder | None = None
        if head.encoding is not None:
            self._decoder = Decoder(head.encoding)
            # What follows reads the body as it was before it was compressed, in chunks.
            hidden = (b"content-encoding", b"content-length", b"transfer-encoding")
            headers = [(name, value) for name, value in scope["headers"] if name not in hidden]
            self.scope = {**scope, "headers": [*headers, (b"transfer-encoding", b"chunked")]}

        self.key_checks_busy = False
        """Set by a login that could not be tried; its 401 becomes 429."""
        self.keys_unreadable = False
        """Set by a login with a token while the realm does not answer; its 401 becomes 503."""

    async def receive(self) -> Message:
        """The next piece of the body; ``http.disconnect`` once it is refused."""
        if self._refused:
            return {"type": "http.disconnect"}
        # Before the first piece, which would have a client that expects 100-continue begin.
        if self._head.length is not None and not self._has_room_for(self._head.length):
            return await self._end(self._no_room(self._head.length))
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
        if not self._has_room_for(self._received):
            return await self._end(self._no_room(self._received))
        return {**message, "body": piece}

    def _has_room_for(self, size: int) -> bool:
        """Whether there is room for a body of ``size`` bytes in all, which is in memory as long as it is small."""
        more = size * self._copies - self._reserved if size > IN_MEMORY else 0
        if more <= 0 or self.disk.grow(more):
            self._reserved += max(more, 0)
            return True
        return False

    def _no_room(self, size: int) -> Refusal:
        limit = self.disk.limit
        if limit is not None and size * self._copies > limit:
            return Refusal(413, f"at most {limit // self._copies} bytes pass this server; raise server.tmp_size")
        return NO_ROOM

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
            if self.keys_unreadable and message["status"] == 401:
                await self.refuse(KEYS_UNREADABLE)
                return
            self._started = True
            refusals.count_answer(message["status"])
            if message["status"] == 503:
                message = {**message, "headers": with_retry_after(message.get("headers", ()))}
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
    refusals.count(REASONS.get(refusal) or REASONS_BY_STATUS.get(refusal.status, "head"), refusal.status)
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


def with_retry_after(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """``headers``, which say when to try again."""
    given = list(headers)
    return given if any(name.lower() == b"retry-after" for name, _ in given) else [*given, (b"retry-after", b"5")]


async def _answer_health(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"OK"})
