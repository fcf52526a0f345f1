"""Sockets on both sides of a network namespace, and connections passed on between them.

A namespace belongs to a thread (setns(2)), so a short-lived thread enters it and leaves its socket to the others.
"""

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

_CLONE_NEWNET = 0x40000000
_CONNECT_SECONDS = 60
"""Longer than the kernel takes to send a lost first packet again, a few times."""

_libc = ctypes.CDLL(None, use_errno=True)

Address = tuple[str, int]
Opener = Callable[[], socket.socket]


def within(process: int, open_socket: Opener) -> socket.socket:
    """What ``open_socket`` returns in the network namespace of ``process``.

    Raises:
        OSError: the namespace cannot be entered, or what ``open_socket`` raises.
    """
    opened: list[socket.socket] = []
    failed: list[BaseException] = []

    def enter() -> None:
        try:
            with open(f"/proc/{process}/ns/net") as namespace:  # noqa: PTH123
                if _libc.setns(namespace.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            opened.append(open_socket())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return opened[0]


class Passage:
    """Accepts on ``listener`` and passes each connection on to one that ``connect`` opens; ends with ``close``."""

    def __init__(self, listener: socket.socket, connect: Opener) -> None:
        self._listener, self._connect = listener, connect
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    def into(cls, process: int, target: Address, *, port: int) -> Self:
        """From ``port`` of 127.0.0.1 here to ``target`` in the namespace of ``process``."""
        listener = socket.create_server(("127.0.0.1", port))
        return cls(listener, lambda: within(process, lambda: socket.create_connection(target, _CONNECT_SECONDS)))

    @classmethod
    def out_of(cls, process: int, address: Address, *, port: int) -> Self:
        """From ``address`` in the namespace of ``process`` to ``port`` of 127.0.0.1 here."""
        listener = within(process, lambda: socket.create_server(address))
        return cls(listener, lambda: socket.create_connection(("127.0.0.1", port), _CONNECT_SECONDS))

    def close(self) -> None:
        """Accept no more; connections that are open stay."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near: socket.socket) -> None:
        with near:
            try:
                far = self._connect()
            except OSError:
                return
            with far:
                # The time limit was for connecting; a stream may be silent for longer.
                far.settimeout(None)
                back = threading.Thread(target=_copy, args=(far, near), daemon=True)
                back.start()
                _copy(near, far)
                back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        # Passed on, or a peer that waits for the end of a request would wait for ever.
        target.shutdown(socket.SHUT_WR)
