"""Bodies of requests: whole before anything is done with them, and in little memory, whatever their size."""

from asyncio import Semaphore
from collections.abc import MutableMapping
from tempfile import SpooledTemporaryFile
from typing import Any

from mlflow_sso.asgi import Message, Receive

IN_MEMORY = 1 << 18
"""Bytes above which a body is written to a file in the temporary directory, where MLflow puts artifacts anyway."""

PIECE = 1 << 16
"""Bytes that are handed on at once."""

LARGE = 1 << 20
"""Bytes above which a body is parsed by two requests at once at most: as Python objects it takes 30 times its size."""

KEY = "mlflow_sso.body"
"""Where a scope and its copies share the body of their request."""


large_bodies = Semaphore(2)
"""Held while a body larger than ``LARGE`` is parsed; the body is complete by then, so no client can hold it up."""


class ClientDisconnectedError(Exception):
    """The client ended before its body did: nothing of it may be used, and there is no one to answer."""


class Body:
    """A complete body; the file is at its begin."""

    def __init__(self) -> None:
        self.file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  (closed with its request)
        self.size = 0

    async def fill(self, receive: Receive) -> None:
        """Write what the client sends, a piece at a time; raises ``ClientDisconnectedError``."""
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientDisconnectedError
            piece = message.get("body", b"")
            self.file.write(piece)
            self.size += len(piece)
            more = message.get("more_body", False)
        self.file.seek(0)

    def read(self) -> bytes:
        """All of it; the file is at its begin again."""
        content = self.file.read()
        self.file.seek(0)
        return content

    def replay(self, receive: Receive) -> Receive:
        """An ASGI ``receive`` that gives the body once more, then what ``receive`` gives."""
        # An empty body is a message, too: the application waits for it.
        left = max(self.size, 1)

        async def replayed() -> Message:
            nonlocal left
            if left <= 0:
                return await receive()
            piece = self.file.read(PIECE)
            left -= max(len(piece), 1)
            if left <= 0:
                self.file.seek(0)
            return {"type": "http.request", "body": piece, "more_body": left > 0}

        return replayed


class BodyOfRequest:
    """The place in a scope for the body of its request, empty until it is needed."""

    def __init__(self) -> None:
        self.body: Body | None = None

    def close(self) -> None:
        """Delete what was written."""
        if self.body is not None:
            self.body.file.close()


async def read_body(scope: MutableMapping[str, Any], receive: Receive) -> Body:
    """The body of a request, read once however often it is asked for.

    Raises ``ClientDisconnectedError``, also for a body that was refused meanwhile for its size.
    """
    place: BodyOfRequest = scope.setdefault(KEY, BodyOfRequest())
    if place.body is None:
        body = Body()
        try:
            await body.fill(receive)
        # A cancelled request must not leave its file behind, either.
        except BaseException:
            body.file.close()
            raise
        place.body = body
    return place.body
