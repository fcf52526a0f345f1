"""A load generator that costs little itself: some clients with a kept-alive connection each, and what they waited."""

import http.client
import socket
import ssl
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

WARM_UP = 5


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is sent again and again: a POST of JSON text with the headers of a login."""

    path: str
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Load:
    """Requests a second of all clients together, and the milliseconds within which 95 of 100 were answered."""

    rate: float
    p95: float

    def __str__(self) -> str:
        return f"{self.rate:6.1f}/s {self.p95:5.0f} ms"


def generate(url: str, context: ssl.SSLContext, request: Request, *, clients: int, count: int) -> Load:
    """Send ``count`` requests for each of ``clients`` at once.

    Raises:
        SystemExit: one is not answered with 200.
    """
    with ThreadPoolExecutor(clients) as threads:
        # Connected and warm before the clock starts: TLS handshakes are not what is measured.
        connections = list(threads.map(lambda _: _connected(url, context, request), range(clients)))
        started = time.perf_counter()
        waited = list(threads.map(lambda connection: _waits(connection, request, count), connections))
        seconds = time.perf_counter() - started
    for connection in connections:
        connection.close()
    milliseconds = [1000 * second for waits in waited for second in waits]
    return Load(rate=clients * count / seconds, p95=statistics.quantiles(milliseconds, n=20)[-1])


def _connected(url: str, context: ssl.SSLContext, request: Request) -> http.client.HTTPSConnection:
    address = urlsplit(url)
    connection = _Connection(address.hostname or "", address.port, context=context, timeout=60)
    _waits(connection, request, WARM_UP)
    return connection


class _Connection(http.client.HTTPSConnection):
    """To this machine, as browsers and curl take every name below ``localhost``."""

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        # Or Nagle's algorithm would hold a request's body back until its head is acknowledged.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


def _waits(connection: http.client.HTTPSConnection, request: Request, count: int) -> list[float]:
    return [_wait(connection, request) for _ in range(count)]


def _wait(connection: http.client.HTTPSConnection, request: Request) -> float:
    started = time.perf_counter()
    connection.request("POST", request.path, request.body, {"Content-Type": "application/json", **request.headers})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"error: {request.path} was answered with {answer.status}: {text[:200]!r}")
    return time.perf_counter() - started
