"""The door as one of the machine's servers: started with its routes, told of pods as they come and go."""

import socket
import ssl
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from live.door.configuration import Configuration, write
from live.door.routes import Route
from live.servers.certificates import Certificate
from live.servers.process import Server


@dataclass(kw_only=True)
class Door(Server):
    """A TLS proxy on ``port`` that knows ``routes`` alone."""

    name: ClassVar[str] = "door"

    certificate: Certificate
    routes: Sequence[Route] = ()
    endpoints: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """What the process reads again whenever it changes."""
        return self.folder / "door.json"

    def prepare(self) -> Sequence[str]:
        """Write what it reads."""
        self._write()
        return [sys.executable, "-m", "live.door.proxy", str(self.file)]

    def lead_to(self, endpoints: Mapping[str, Sequence[int]], routes: Sequence[Route] | None = None) -> None:
        """Pass requests on to these ports from now on, by other routes where they are given."""
        self.endpoints = endpoints
        self.routes = self.routes if routes is None else routes
        self._write()

    def _write(self) -> None:
        configuration = Configuration(
            port=self.port,
            certificate=str(self.certificate.certificate),
            key=str(self.certificate.key),
            routes=[*self.routes],
            endpoints={name: [*ports] for name, ports in self.endpoints.items()},
        )
        write(self.file, configuration)

    def ready(self) -> bool:
        """Whether it shows its certificate."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as plain:
                self.certificate.context().wrap_socket(plain, server_hostname="localhost").close()
        except (OSError, ssl.SSLError):
            return False
        return True
