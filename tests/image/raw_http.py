"""HTTP written by hand, for requests that no client library sends."""

import base64
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

CHUNKED = "Transfer-Encoding: chunked"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent until it was silent or closed; status 0 if it sent nothing."""

    status: int
    head: str
    body: bytes

    def header(self, name: str) -> str | None:
        """Value of a header."""
        found = re.search(rf"(?im)^{name}:\s*(.*?)\r?$", self.head)
        return found and found[1]


def login(user: str, key: str) -> str:
    """The header of a basic login."""
    return "Authorization: Basic " + base64.b64encode(f"{user}@example.com:{key}".encode()).decode()


def head(method: str, path: str, *headers: str, version: str = "1.1") -> bytes:
    """The head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: 127.0.0.1", *headers, "", ""]).encode()


def chunks(*pieces: bytes) -> bytes:
    """A whole body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def connect(port: int, *, timeout: float = 60) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def send(port: int, *parts: bytes, end: bool = False, timeout: float = 60) -> Answer:
    """Send ``parts`` on a connection of their own, close the sending side at the ``end``, and read one answer."""
    with connect(port, timeout=timeout) as connection:
        for part in parts:
            connection.sendall(part)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return read(connection)


def exchange(port: int, request: bytes) -> bytes:
    """All that is answered on a connection of its own, until the server closes it."""
    received = b""
    with connect(port) as connection:
        connection.sendall(request)
        with suppress(ConnectionResetError):
            while piece := connection.recv(1 << 16):
                received += piece
    return received


def read(connection: socket.socket) -> Answer:
    """One answer, without informational ones; incomplete if the connection ends."""
    received = b""
    while True:
        answer = _parsed(received)
        if answer is not None:
            return answer
        try:
            piece = connection.recv(1 << 16)
        except ConnectionResetError:
            piece = b""
        if not piece:
            head, _, body = received.partition(b"\r\n\r\n")
            return Answer(_status(head), head.decode("latin1"), body)
        received += piece


def _parsed(received: bytes) -> Answer | None:
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return None
    # 100 Continue precedes the answer.
    if _status(head) < 200:
        return _parsed(body)
    length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
    whole = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
    return Answer(_status(head), head.decode("latin1"), body) if whole else None


def _status(head: bytes) -> int:
    return int(head.split()[1]) if head else 0


def statuses(answers: Iterable[Answer]) -> list[int]:
    """Status codes in the order of the answers."""
    return [answer.status for answer in answers]
