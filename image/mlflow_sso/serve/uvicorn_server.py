"""Uvicorn as we run it: with a look at each connection every second, and a sign of life."""

import signal
import time
from collections.abc import Mapping
from types import FrameType

from uvicorn import Config, Server

from mlflow_sso.serve import connections
from mlflow_sso.serve.admission import CLOSE
from mlflow_sso.serve.event_log import speak_json
from mlflow_sso.serve.head import MAX_HEADER_BYTES
from mlflow_sso.serve.health import BEAT_SECONDS, beat, heartbeat_folder
from mlflow_sso.serve.logs import is_json, log_configuration
from mlflow_sso.serve.typed_variables import number

TICKS_A_SECOND = 10
"""Of uvicorn's main loop (uvicorn/server.py, ``main_loop``)."""


DRAIN_SECONDS = 900.0
"""For the last requests of a worker that another one has replaced, such as a large upload."""

QUIET_SECONDS = 1.0
"""Without a connection, after which a draining worker ends: one that was just accepted shows only then. Without an
answer, after which a worker that was told to stop takes no more requests."""


class WatchedServer(Server):  # type: ignore[misc]
    """Checks every connection once a second, and stops only when no more requests come."""

    _draining = False
    _drained_by = _busy_at = _stopped_by = 0.0

    def drain(self) -> None:
        """Take no more connections, and end after the last request; may be called by a signal handler.

        A connection that is kept alive is closed by an answer which says so, or once it has been idle for a while, so
        that no request gets lost between two processes.
        """
        self._draining = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first SIGTERM lets requests come for a while; any other signal, and another one, is uvicorn's."""
        if sig == signal.SIGTERM and not self._stopped_by and not self._draining:
            self._stopped_by = time.monotonic() + self.config.timeout_graceful_shutdown
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._draining:
            self._drain()
        if self._stopped_by:
            self._stop()
        if counter % TICKS_A_SECOND == 0:
            now = time.monotonic()
            keep_alive = connections.DRAINED_SECONDS if self._draining else connections.KEEP_ALIVE_SECONDS
            for connection in list(self.server_state.connections):
                connection.check(now, keep_alive=keep_alive)
        if counter % (BEAT_SECONDS * TICKS_A_SECOND) == 0:
            beat(heartbeat_folder())
        return bool(await super().on_tick(counter))

    def _drain(self) -> None:
        now = time.monotonic()
        if not self._drained_by:
            self._drained_by, self._busy_at = now + DRAIN_SECONDS, now
            for server in self.servers:
                server.close()
            self._close_after_answers()
        if self.server_state.connections or self.server_state.tasks:
            self._busy_at = now
        if now > min(self._busy_at + QUIET_SECONDS, self._drained_by):
            self.should_exit = True

    def _stop(self) -> None:
        """Go on until no proxy sends anything, for at most half of the time: the other half is for what is in flight.

        The order to stop may overtake the news of it, or the hook before it may have failed. uvicorn closes at once
        what is open, with requests that are on their way.
        """
        if CLOSE not in self.config.encoded_headers:
            self._close_after_answers()
        left = self._stopped_by - time.monotonic()
        quiet = time.monotonic() - connections.Connection.traffic.answered_at
        if quiet > QUIET_SECONDS or left < self.config.timeout_graceful_shutdown / 2:
            self.config.timeout_graceful_shutdown = max(left, 0)
            self.should_exit = True

    def _close_after_answers(self) -> None:
        self.config.encoded_headers.append(CLOSE)
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]


def load_server(application: str, *, grace_seconds: int, variables: Mapping[str, str]) -> WatchedServer:
    """A server whose ``application`` is imported, which takes seconds; ``run`` starts it."""
    limits = connections.Limits(
        minimum_rate=number(variables, "MLFLOW_SSO_MINIMUM_TRANSFER_RATE"),
        connections=connections.raise_descriptor_limit(),
    )
    config = Config(
        application,
        http=type("LimitedConnection", (connections.Connection,), {"limits": limits}),
        # None of the applications has a WebSocket, and one would pass by the limits.
        ws="none",
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        timeout_graceful_shutdown=grace_seconds,
        log_config=log_configuration(variables),
        # Each request has a line of its own then.
        access_log=not is_json(variables),
    )
    if is_json(variables):
        # Before the application is imported, whose parts set up loggers of their own.
        speak_json()
    config.load()
    return WatchedServer(config)
