"""One `make live` a machine: its ports are fixed, and so is the folder of its state."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from live.files import try_lock
from live.servers.process import is_free


class BusyError(Exception):
    """Another one runs, or something else has one of the ports."""


@contextmanager
def hold_lock(folder: Path, *, url: str) -> Iterator[None]:
    """Hold the folder's lock, in which ``url`` is written down for whoever comes second.

    Raises:
        BusyError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Not "w", which would empty what the holder has written before the lock is tried.
    with (folder / "lock").open("a+") as lock:
        lock.seek(0)
        if not try_lock(lock):
            raise BusyError(_explained(lock.read()))
        lock.truncate(0)
        lock.write(f"{os.getpid()} {url}")
        lock.flush()
        yield


def _explained(text: str) -> str:
    process, _, url = text.partition(" ")
    return f"it runs already, at {url}; end it with Ctrl-C where it was started, or with `kill {process}`"


def need_ports(ports: Iterable[int]) -> None:
    """See that no process listens there.

    Raises:
        BusyError: one does.
    """
    taken = [str(port) for port in ports if not is_free(port, reuse=True)]
    if taken:
        raise BusyError(f"something else listens on 127.0.0.1, port {', '.join(taken)}; end it first")
