"""Bodies of any size in little memory, for the release whose adapter keeps each whole in memory.

Starlette's adapter for WSGI applications, which serves all of MLflow 3.6.0, adds a request's body up in one string,
copying it at every piece that arrives, and queues as much of an answer as the client has not taken yet. MLflow reads
artifacts line by line, and each of those crosses from a thread to the event loop by itself: of 200 MiB, 800,000.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import Any

IN_MEMORY = 1 << 20
"""Bytes of a request's body above which it goes to a file in the temporary directory, where MLflow puts it anyway."""
PIECE = 1 << 18
"""Bytes of an answer that are sent at once."""
QUEUED = 4
"""Pieces of an answer that wait for the client; the thread that reads them waits then, too."""


def spool_bodies() -> None:
    """Put a responder that does so in the place of Starlette's."""
    import anyio
    from starlette.middleware import wsgi

    class SpoolingResponder(wsgi.WSGIResponder):  # type: ignore[misc]
        """One request."""

        app: Callable[..., Iterable[bytes]]

        async def __call__(
            self,
            receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
            send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
        ) -> None:
            streams: tuple[Any, Any] = anyio.create_memory_object_stream(QUEUED)
            self.stream_send, self.stream_receive = streams
            application = self.app
            self.app = lambda *arguments: gathered(application(*arguments))
            with SpooledTemporaryFile(IN_MEMORY) as body:
                await fill(body, receive)
                environ = {**wsgi.build_environ(self.scope, b""), "wsgi.input": body}
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self.sender, send)
                    async with self.stream_send:
                        await anyio.to_thread.run_sync(self.wsgi, environ, self.start_response)
            if self.exc_info is not None:
                raise self.exc_info[0].with_traceback(self.exc_info[1], self.exc_info[2])

    wsgi.WSGIResponder = SpoolingResponder


async def fill(body: Any, receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
    """Write what a client sends into ``body`` and go back to its begin; a piece at a time, none of it large."""
    more = True
    while more:
        message = await receive()
        body.write(message.get("body", b""))
        more = message.get("more_body", False)
    body.seek(0)


def gathered(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of some size."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        if len(waiting) >= PIECE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)
