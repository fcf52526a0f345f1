"""A small HTTP proxy in front of a real server: counts requests, and spoils those that a test names.

    with FaultProxy(server.url) as proxy:
        proxy.spoil(answers(503), nth=2)            # the second request from now on
        proxy.spoil(lost(), when="POST /admin/")    # the first whose line begins so
        ... use proxy.url ...
        assert proxy.writes == []

A spoiled request may or may not have reached the server; each fault says which.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from yarl import URL

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade"})
"""Headers that belong to one connection (RFC 9110, section 7.6.1), and the length, which is set anew."""

READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes


Forward = Callable[[], Awaitable[Answer]]
Fault = Callable[[web.Request, Forward], Awaitable[web.StreamResponse]]


def answers(status: int, body: str = "{}", *, kind: str = "application/json") -> Fault:
    """An answer in the server's place; the request does not reach it."""

    async def fault(_: web.Request, __: Forward) -> web.StreamResponse:
        return web.Response(status=status, text=body, content_type=kind)

    return fault


def refused() -> Fault:
    """The connection is closed without an answer; the request does not reach the server."""

    # abort() resets the connection: the client sees it end, with nothing that could be an answer.
    async def fault(request: web.Request, _: Forward) -> web.StreamResponse:
        return _close(request)

    return fault


def lost() -> Fault:
    """The request reaches the server, its answer never the client."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        await forward()
        return _close(request)

    return fault


def half_closed() -> Fault:
    """The request reaches the server; half of the answer arrives, then the connection closes."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        answer = await forward()
        # An answer without a body is cut within the one that is announced here.
        body = answer.body or b"{}"
        response = web.StreamResponse(status=200 if answer.status == 204 else answer.status, headers=answer.headers)
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        _close(request)
        # The response is returned all the same: aiohttp takes None for a fault of its own.
        return response

    return fault


def silent() -> Fault:
    """No answer at all until the client gives up; the request does not reach the server."""

    async def fault(request: web.Request, _: Forward) -> web.StreamResponse:
        return await _never(request)

    return fault


def too_slow() -> Fault:
    """The request reaches the server, but the client gives up before it hears of that."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        await forward()
        return await _never(request)

    return fault


def calls(action: Callable[[], object]) -> Fault:
    """The request reaches the server; ``action`` is called, such as to kill the client, before the answer is lost."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        await forward()
        await asyncio.to_thread(action)
        return _close(request)

    return fault


def calls_before(action: Callable[[], object]) -> Fault:
    """``action`` is called, such as to restart the server, then the request is forwarded."""

    async def fault(_: web.Request, forward: Forward) -> web.StreamResponse:
        await asyncio.to_thread(action)
        return _response(await forward())

    return fault


def _close(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    return web.Response()


async def _never(request: web.Request) -> web.StreamResponse:
    while request.transport and not request.transport.is_closing():
        # Polled, since aiohttp tells a handler of a client that is gone only when it writes.
        await asyncio.sleep(0.02)
    return web.Response()


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


@dataclass(slots=True)
class _Spoiling:
    """``fault`` for the next ``times`` requests whose line begins with ``when``, from the ``nth`` on."""

    fault: Fault
    nth: int
    when: str
    times: int

    def takes(self, line: str) -> bool:
        """Whether it is this request's turn; counts it."""
        if not line.startswith(self.when) or not self.times:
            return False
        self.nth -= 1
        if self.nth > 0:
            return False
        self.times -= 1
        return True


class FaultProxy:
    """Listens on a free port of 127.0.0.1; exposes ``url``, and ``requests`` as lines such as ``GET /path?query``.

    Proxies ``beside`` one another share requests and faults, so that the n-th of all servers may be spoiled.
    """

    def __init__(self, upstream: str, *, beside: "FaultProxy | None" = None) -> None:
        self.url = ""
        self.requests: list[str] = beside.requests if beside else []
        self._upstream = URL(upstream).origin()
        # A server below a path, as Keycloak at /auth, keeps it in ``url``.
        self._path = URL(upstream).path.rstrip("/")
        self._spoilings: list[_Spoiling] = beside._spoilings if beside else []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def spoil(self, fault: Fault, *, nth: int = 1, when: str = "", times: int = 1) -> None:
        """Have ``times`` requests fail, from the ``nth`` on whose line begins with ``when``."""
        self._spoilings.append(_Spoiling(fault, nth, when, times))

    def clear(self) -> None:
        """Forget requests and faults."""
        self.requests.clear()
        self._spoilings.clear()

    @property
    def writes(self) -> list[str]:
        """Requests that may change something; a login for a token is none."""
        lines = [line for line in self.requests if line.split(" ", 1)[0] not in READING]
        # Logins differ in number with the age of a token, and change nothing in any system.
        return [line for line in lines if not line.endswith("/openid-connect/token")]

    def __enter__(self) -> Self:
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        self.url = f"http://127.0.0.1:{port}{self._path}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _start(self) -> int:
        # A connection of its own for each request, so that a restarted server is never met by an old one.
        connector = TCPConnector(force_close=True)
        # Passed on as it came, for its Content-Encoding is passed on as well.
        self._session = ClientSession(connector=connector, auto_decompress=False, timeout=ClientTimeout(total=300))
        # An upload of an object is larger than aiohttp's one megabyte.
        application = web.Application(client_max_size=1 << 28)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        # The path is kept as it was sent: quoting anew would hide an error in a client's quoting.
        line = f"{request.method} {request.raw_path}"
        self.requests.append(line)
        body = await request.read()

        async def forward() -> Answer:
            return await self._forward(request, body)

        turns = [spoiling for spoiling in self._spoilings if spoiling.takes(line)]
        try:
            return await turns[0].fault(request, forward) if turns else _response(await forward())
        except (ClientError, OSError):
            return _close(request)

    async def _forward(self, request: web.Request, body: bytes) -> Answer:
        # Taken as it is: yarl would quote it anew, and the server is to see what the client has sent.
        url = URL(f"{self._upstream}{request.raw_path}", encoded=True)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        async with self._session.request(
            request.method, url, headers=headers, data=body or None, allow_redirects=False
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            return Answer(answer.status, kept, await answer.read())
