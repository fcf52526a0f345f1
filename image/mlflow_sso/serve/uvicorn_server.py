"""Uvicorn as we run it: with a look at each connection every second, and a sign of life."""

import time
from collections.abc import Mapping

from uvicorn import Config, Server

from mlflow_sso.serve.connections import Connection, Limits, raise_descriptor_limit
from mlflow_sso.serve.event_log import speak_json
from mlflow_sso.serve.head import MAX_HEADER_BYTES
from mlflow_sso.serve.health import BEAT_SECONDS, beat, heartbeat_folder
from mlflow_sso.serve.logs import is_json, log_configuration

TICKS_A_SECOND = 10
"""Of uvicorn's main loop (uvicorn/server.py, ``main_loop``)."""


class WatchedServer(Server):  # type: ignore[misc]
    """Checks every connection once a second."""

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_A_SECOND == 0:
            now = time.monotonic()
            for connection in list(self.server_state.connections):
                connection.check(now)
        if counter % (BEAT_SECONDS * TICKS_A_SECOND) == 0:
            beat(heartbeat_folder())
        return bool(await super().on_tick(counter))


def load_server(application: str, *, grace_seconds: int, variables: Mapping[str, str]) -> Server:
    """A server whose ``application`` is imported, which takes seconds; ``run`` starts it."""
    limits = Limits(
        minimum_rate=int(variables.get("MLFLOW_SSO_MINIMUM_TRANSFER_RATE", Limits().minimum_rate)),
        connections=raise_descriptor_limit(),
    )
    config = Config(
        application,
        http=type("LimitedConnection", (Connection,), {"limits": limits}),
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
