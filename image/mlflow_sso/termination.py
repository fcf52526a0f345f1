"""SIGTERM as an error at a moment that suits the program, or in the middle of its work if that moment does not come.

The first process of a container has no default action for a signal: without a handler SIGTERM would be ignored until
the pod's grace period ends. A handler of Python's does not run while a statement waits in PostgreSQL's library either,
so a thread hears of the signal at once, and cancels statements.
"""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any
from weakref import WeakSet

from mlflow_sso.errors import RetryableError

PATIENCE = 10
"""Seconds for what a program has begun, within the pod's grace period of 30."""
_BREAK_OFF = 2.0
"""Seconds from the end of statements until Python code is broken off where it stands."""
_LEAVE = 5.0
"""Seconds from there until the process leaves whatever it does."""

_come = threading.Event()
_connections: "WeakSet[Any]" = WeakSet()
_patience = 0.0


def expect(patience: float = 0) -> None:
    """Take SIGTERM from now on, and have what runs then go on for ``patience`` seconds; call it from the main thread.

    Each wait for a deadline ends at once, statements are cancelled after ``patience``, and Python code gets a
    ``RetryableError`` soon after that.
    """
    global _patience
    _patience = patience
    if signal.getsignal(signal.SIGTERM) is _note:
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, _note)
    signal.signal(signal.SIGUSR1, _break_off)
    threading.Thread(target=_hear, args=(reader,), daemon=True).start()


def watch(connection: Any) -> None:
    """Cancel what the psycopg2 ``connection`` is at when it is time."""
    _connections.add(connection)


def has_come() -> bool:
    return _come.is_set()


def require_none() -> None:
    """Raise ``RetryableError`` if SIGTERM has come."""
    if has_come():
        raise stopped()


def stopped() -> RetryableError:
    """The error of a program that was told to end."""
    return RetryableError("stopped by SIGTERM", remedy="run it again: it continues where it stopped")


def pause(seconds: float) -> None:
    """Sleep; raise ``RetryableError`` as soon as SIGTERM comes."""
    _come.wait(seconds)
    require_none()


def _note(number: int, frame: FrameType | None) -> None:
    """Nothing: with a handler, Python tells the thread."""


def _break_off(number: int, frame: FrameType | None) -> None:
    require_none()


def _hear(reader: int) -> None:
    while os.read(reader, 1) != bytes([signal.SIGTERM]):
        pass
    _come.set()
    time.sleep(_patience)
    for connection in list(_connections):
        # It may have been closed meanwhile.
        with suppress(Exception):
            connection.cancel()
    time.sleep(_BREAK_OFF)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
    time.sleep(_LEAVE)
    print(stopped(), file=sys.stderr, flush=True)
    os._exit(RetryableError.exit_code)
