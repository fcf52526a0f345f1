"""Connections that may not stand still, and of which there are not too many: limits that uvicorn does not have.

Uvicorn waits for ever for the first byte of a connection, for the rest of a head, for a body and for the reader of an
answer. Here a head has ``HEAD_SECONDS``; a body or an answer must move at a minimum rate, as Apache's mod_reqtimeout
and nginx's ``send_timeout`` have it; and a refused body is read and dropped for a moment, so that its sender sees the
answer (nginx: ``lingering_close``).
"""

import fcntl
import http
import math
import resource
import struct
import termios
import time
from collections import deque
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from mlflow_sso.serve.admission import CROWDED, HEALTH
from mlflow_sso.serve.typed_variables import NUMBERS

HEAD_SECONDS = 20
"""From the first byte of a request's head to its end."""

KEEP_ALIVE_SECONDS = 4200
"""How long a connection may be idle, from its begin or an answer: longer than any proxy keeps it, so that it is the
proxy that ends it. A request sent while we end it is lost, which the proxy answers with 502. Traefik keeps one for 90
seconds (``idleConnTimeout``), ingress-nginx for 60, Google's load balancer for 600, Envoy for an hour, and AWS's for as
long as our annotation says, 4,000 at most."""

DRAINED_SECONDS = 5
"""The same for a connection of a worker that another one has replaced."""

WINDOW_SECONDS = 30
"""Over how long the rate of a body or an answer is measured."""

LINGER_SECONDS = 30
"""How long the rest of a refused body is read and dropped; ``LINGER_IDLE_SECONDS`` if nothing comes."""

LINGER_IDLE_SECONDS = 5
MAX_CONNECTIONS = 1000
"""Of a process; above it, those that wait for a request are closed, the oldest first."""

RESERVED_CONNECTIONS = 100
"""Above the limit; they are answered on /health only."""

READ_AT_ONCE = 1 << 16
"""Bytes: asyncio would read four times as much from each connection before anyone has asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What connections are held to."""

    minimum_rate: int = NUMBERS["MLFLOW_SSO_MINIMUM_TRANSFER_RATE"].default
    """Bytes a second; zero for none."""
    connections: int = MAX_CONNECTIONS


def raise_descriptor_limit() -> int:
    """Let the process open as many files as it may; returns how many connections fit beside their bodies' files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(MAX_CONNECTIONS, wanted // 4)


MAPPED = "::ffff:"
"""What precedes a client's IPv4 address on a socket of both families (RFC 4291, section 2.5.5.2)."""


@dataclass(slots=True)
class Traffic:
    """When a worker last answered a request of a user or a program; a health check is none."""

    answered_at: float = -math.inf


class Meter:
    """How much has moved within the window, while only the peer delayed it."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def reset(self) -> None:
        self._samples.clear()

    def too_slow(self, now: float, moved: int, *, rate: int) -> bool:
        """Note that ``moved`` bytes have moved since the begin; whether they were too few for a whole window."""
        samples = self._samples
        samples.append((now, moved))
        while len(samples) > 1 and samples[1][0] <= now - WINDOW_SECONDS:
            samples.popleft()
        since, before = samples[0]
        return now - since >= WINDOW_SECONDS and moved - before < rate * WINDOW_SECONDS


class Transport:
    """asyncio's transport, which counts what is written and does not close on a peer that still sends."""

    def __init__(self, transport: Any, connection: "Connection") -> None:
        self._transport, self._connection = transport, connection
        self.written = 0
        self.get_extra_info = transport.get_extra_info
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.set_protocol = transport.set_protocol
        self.abort = transport.abort

    def write(self, data: bytes) -> None:
        self.written += len(data)
        self._transport.write(data)

    def close(self) -> None:
        if not self._connection.linger():
            self._transport.close()

    def end(self) -> None:
        """Close what was written, and go on reading."""
        self._transport.write_eof()
        self._transport.resume_reading()

    def arrived(self) -> int:
        """Bytes that have arrived at the peer, or were on their way to it in vain."""
        descriptor = self._transport.get_extra_info("socket").fileno()
        # A closed socket has no descriptor, and nothing on its way.
        waiting = 0
        if descriptor >= 0:
            waiting = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0" * 4))[0]
        return self.written - int(self._transport.get_write_buffer_size()) - int(waiting)


class Connection(H11Protocol):  # type: ignore[misc]
    """One connection of uvicorn's, which ``check`` is asked about once a second."""

    limits = Limits()
    traffic = Traffic()
    app_state: dict[str, Any]
    client: tuple[str, int] | None

    def connection_made(self, transport: Any) -> None:
        transport.max_size = READ_AT_ONCE
        super().connection_made(Transport(transport, self))
        self.timeout_keep_alive = KEEP_ALIVE_SECONDS
        if self.client and self.client[0].startswith(MAPPED):
            self.client = (self.client[0].removeprefix(MAPPED), self.client[1])
        self._received, self._meter = 0, Meter()
        self._waiting_since, self._received_before = time.monotonic(), 0
        self._lingering_until = self._last_piece = 0.0
        excess = len(self.connections) - self.limits.connections
        if excess > 0 and not self._make_room():
            # A copy: uvicorn hands the same dictionary to every connection.
            self.app_state = {**self.app_state, CROWDED: True}
            if excess > RESERVED_CONNECTIONS:
                self.transport.abort()

    def _make_room(self) -> bool:
        """Close the connection that has waited for a request, or has been refused, for longest."""
        others = [other for other in self.connections if other is not self and not other.working]
        if others:
            min(others, key=lambda other: other._waiting_since).transport.abort()
        return bool(others)

    @property
    def working(self) -> bool:
        """Whether a request is being served."""
        return not self._lingering_until and self.cycle is not None and not self.cycle.response_complete

    @property
    def _idle(self) -> bool:
        """Whether all requests are answered, and nothing of a next one has come."""
        return self._received == self._received_before and not self.conn.trailing_data[0]

    def data_received(self, data: bytes) -> None:
        if not self.working and self._idle:
            self._waiting_since = time.monotonic()
        self._received += len(data)
        if self._lingering_until:
            self._last_piece = time.monotonic()
            return
        super().data_received(data)

    def handle_events(self) -> None:
        # A request that waited behind another is begun by the other's task, of whose context it gets nothing.
        Context().run(super().handle_events)

    def on_response_complete(self) -> None:
        self._waiting_since, self._received_before = time.monotonic(), self._received
        if self.scope["path"] != HEALTH:
            self.traffic.answered_at = self._waiting_since
        super().on_response_complete()

    def linger(self) -> bool:
        """Go on reading for a while in place of closing; false if there is nothing to read."""
        if self._lingering_until or self.cycle is None or not self.cycle.more_body or self.cycle.disconnected:
            return False
        now = time.monotonic()
        self._waiting_since = self._last_piece = now
        self._lingering_until = now + LINGER_SECONDS
        self.transport.end()
        return True

    def check(self, now: float, *, keep_alive: float) -> None:
        """Close the connection if its peer has taken too long; ``keep_alive`` is how many seconds it may be idle."""
        if self.transport.get_write_buffer_size():
            if self._too_slow(now, self.transport.arrived()):
                self.logger.warning("cut an answer that its client did not read")
                self.transport.abort()
        elif self._lingering_until:
            if now > min(self._lingering_until, self._last_piece + LINGER_IDLE_SECONDS):
                self.transport.abort()
        elif not self.working:
            self._meter.reset()
            if now - self._waiting_since > (keep_alive if self._idle else HEAD_SECONDS):
                self._end_of_patience()
        elif self._waits_for_body():
            if self._too_slow(now, self._received):
                self._cut_body()
        else:
            self._meter.reset()

    def _too_slow(self, now: float, moved: int) -> bool:
        rate = self.limits.minimum_rate
        return bool(rate) and self._meter.too_slow(now, moved, rate=rate)

    def _waits_for_body(self) -> bool:
        cycle = self.cycle
        # A client that expects 100 sends nothing until the application begins to read: it is not slow.
        return cycle.more_body and not self.flow.read_paused and not cycle.waiting_for_100_continue

    def _end_of_patience(self) -> None:
        # Half a head deserves an answer; a connection that sent nothing is only closed.
        if self._received > self._received_before and self.conn.our_state is h11.IDLE:
            self._answer_timeout()
        self.transport.close()

    def _cut_body(self) -> None:
        self.logger.warning("cut a body that its client did not send")
        cycle = self.cycle
        if cycle.response_started:
            self.transport.abort()
            return
        self._answer_timeout()
        self.transport.close()
        # As uvicorn wakes an application that waits in ``receive``: it hears http.disconnect.
        cycle.disconnected = True
        cycle.message_event.set()

    def _answer_timeout(self) -> None:
        """408, past the application."""
        status = http.HTTPStatus.REQUEST_TIMEOUT
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        for event in (
            h11.Response(status_code=status.value, headers=headers, reason=status.phrase.encode()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
