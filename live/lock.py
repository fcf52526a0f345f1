"""One `make live` a machine: its ports are fixed, and so is the folder of its state."""

import fcntl
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


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
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(_explained(lock.read())) from None
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
    taken = [str(port) for port in ports if _taken(port)]
    if taken:
        raise BusyError(f"something else listens on 127.0.0.1, port {', '.join(taken)}; end it first")


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, or a connection that has just closed would count as a listener for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
