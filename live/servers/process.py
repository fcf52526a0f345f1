"""The life of one server: a free port, a log, a wait until it answers, and an end without orphans.

Errors: ServerError, when a server ends early or does not get ready.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, ClassVar, Self
from urllib.error import URLError
from urllib.request import urlopen

from live.files import try_lock
from live.servers import guard
from live.servers.cache import cache_root
from live.servers.certificates import Certificate, issue

LOG_TAIL_LINES = 25


class ServerError(Exception):
    """A server ended early or did not get ready; the text has the end of its log."""


_given: dict[int, IO[str]] = {}
"""Ports of this process with the file that keeps other processes from them as long as it lives."""


def free_port() -> int:
    """A free TCP port of 127.0.0.1, below NodePorts and outgoing connections; never given twice."""
    while True:
        # Random, so that processes at the same time seldom ask for the same reservation.
        port = random.choice([*set(range(15000, 30000)) - _given.keys()])  # noqa: S311
        if _reserved(port) and is_free(port):
            return port


def _reserved(port: int) -> bool:
    folder = cache_root() / "ports"
    folder.mkdir(exist_ok=True)
    # Between the choice of a port and its server's bind no socket holds it, so a lock does.
    reservation = (folder / str(port)).open("w")
    if not try_lock(reservation):
        reservation.close()
        return False
    _given[port] = reservation
    return True


def is_free(port: int, *, reuse: bool = False) -> bool:
    """Whether a server can bind it; with ``reuse`` also if a connection has just closed there, as most servers can."""
    with socket.socket() as probe:
        # Without it a closed connection counts as a listener for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@dataclass(kw_only=True)
class Server(ABC):
    """A server process on 127.0.0.1, also a context manager; ``restart`` keeps port and data."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    start_seconds: ClassVar[float] = 600
    """Seconds until it must answer, on a loaded machine."""

    data: Path | None = None
    """Folder of its data, log and settings, created if it is missing; unset, one that goes with the ``with`` block."""
    port: int = field(default_factory=free_port)
    grace_seconds: float = 20
    """Seconds between the polite signal and SIGKILL."""
    folder: Path = field(init=False)
    """``data``, or the temporary folder."""
    _process: "subprocess.Popen[bytes] | None" = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        self.folder = self.data or passable(Path(tempfile.mkdtemp(prefix=f"{self.name}-")))
        self.folder.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def prepare(self) -> Sequence[str]:
        """Make what the first start needs, and give the command."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it serves."""

    def environment(self) -> Mapping[str, str]:
        """Variables beside our own."""
        return {}

    def user(self) -> str:
        """User to run as; empty for our own."""
        return ""

    def locks(self) -> Sequence[int]:
        """Locked files that stay locked until :meth:`after` has run, even if we have ended before."""
        return []

    def after(self) -> Sequence[str]:
        """Command that clears up once the server has ended, even if we have ended before; empty if there is none."""
        return []

    @property
    def log(self) -> Path:
        """What the server printed since it was first started."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """The process that watches over the server, and lives as long.

        Raises:
            ServerError: it is not running.
        """
        if not self.running or self._process is None:
            raise ServerError(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there; it may not serve yet."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start and wait until it serves.

        Raises:
            MissingProgramError: its program cannot be installed from here.
            ServerError: it ended early or is not ready in time.
        """
        command = self.prepare()
        # Isolated: the guard must not import modules of the folder that it is started in.
        watched = [sys.executable, "-I", guard.__file__, str(int(self.stop_signal)), str(self.grace_seconds)]
        temporary = str(self.folder) if self.data is None else ""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*watched, self.user(), temporary, json.dumps(self.after()), *command],
                cwd=self.folder,
                env={**os.environ, **self.environment()},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal goes to its process group; the order of stopping is ours.
                start_new_session=True,
                pass_fds=self.locks(),
            )
        self._wait()
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self.ready():
            if not self.running:
                raise ServerError(f"{self.name} ended at its start; {self._tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.name} is not ready after {self.start_seconds:.0f} s; {self._tail()}")
            time.sleep(0.05)

    def _tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"the end of {self.log}:", *lines])

    def stop(self) -> None:
        """Ask it to end, kill its process group after ``grace_seconds``, and wait until it is gone."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._reap(self._process, self.grace_seconds + 5)

    def kill(self) -> None:
        """End its process group at once, as a crash would."""
        if self.running and self._process and self._process.stdin:
            self._process.send_signal(signal.SIGUSR1)
            self._reap(self._process, 5)
            self._process.stdin.close()

    def _reap(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self) -> Self:
        """Stop and start again, on the same port and data."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self.data is None:
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(kw_only=True)
class TlsServer(Server):
    """A server at ``url``; ``tls`` gives it a certificate for ``localhost``."""

    tls: bool = False

    @property
    def url(self) -> str:
        """Address, without a slash at the end."""
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Certificate:
        """The server's certificate, created if it is missing."""
        return issue(self.folder / "tls")

    def answers(self, path: str) -> bool:
        """Whether a GET of ``path`` gives a success."""
        return answers(f"{self.url}{path}", certificate=self.certificate if self.tls else None)


def passable(folder: Path) -> Path:
    """``folder``, through which PostgreSQL, which runs as another user, gets to its own folder below."""
    folder.chmod(0o711)
    return folder


def answers(url: str, *, certificate: Certificate | None = None) -> bool:
    """Whether a GET of ``url`` gives a success."""
    try:
        # Short: a server that hangs at its start is asked again at once.
        with urlopen(url, timeout=2, context=certificate.context() if certificate else None) as answer:  # noqa: S310
            return bool(answer.status < 300)
    except (URLError, OSError):
        return False
