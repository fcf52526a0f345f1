"""Where a login says that it could not be tried: the plugins take every error of it for wrong credentials."""

from contextvars import ContextVar
from typing import Protocol


class Rejectable(Protocol):
    """A request that can be told that its login could not be tried."""

    key_checks_busy: bool
    keys_unreadable: bool


busy: ContextVar[Rejectable | None] = ContextVar("request_of_a_login", default=None)
"""The request that is being served, for a login whose errors the plugin takes for a wrong key."""
