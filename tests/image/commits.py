"""PostgreSQL whose sessions end at a commit: the client cannot know whether it took place."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from pod import Pod

COMMIT = b"Q" + struct.pack("!i", 11) + b"COMMIT\0"


@dataclass(kw_only=True)
class LostCommits:
    """Ends one session of a database at its commit, which the server has not heard of, or has done."""

    port: int
    database: str
    is_done: bool
    lost: int = 0
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    def serve(self) -> None:
        """Take connections until the socket is closed."""
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
            threading.Thread(target=_carry, args=(server, client), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        is_meant = False
        with suppress(OSError):
            while data := client.recv(1 << 16):
                is_meant = is_meant or f"database\0{self.database}\0".encode() in data
                if is_meant and data == COMMIT and not self.lost:
                    self.lost += 1
                    if self.is_done:
                        # Nothing of the answer gets through.
                        client.shutdown(socket.SHUT_RDWR)
                        server.sendall(data)
                    break
                server.sendall(data)
        _end(client)
        server.shutdown(socket.SHUT_WR)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    _end(target)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def lost_commit(pod: Pod, service: str, *, is_done: bool) -> Iterator[LostCommits]:
    """Lead the pod's programs to PostgreSQL by way of ``LostCommits``, for the length of the block."""
    port, file = pod.database.server.port, pod.secrets_root / "db" / "pg_service.conf"
    proxy, direct = LostCommits(port=port, database=pod.database.name(service), is_done=is_done), file.read_text()
    file.write_text(direct.replace(f"port={port}\n", f"port={proxy.listening.getsockname()[1]}\n"))
    with closing(proxy.listening):
        threading.Thread(target=proxy.serve, daemon=True).start()
        yield proxy
    file.write_text(direct)
