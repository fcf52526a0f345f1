"""Redis from Debian."""

import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from live.files import write_whole
from live.servers.cache import debian_program
from live.servers.process import Server


@dataclass(kw_only=True)
class Redis(Server):
    """A Redis that writes each change to its folder."""

    name: ClassVar[str] = "redis"

    password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)

    def prepare(self) -> Sequence[str]:
        """Write the configuration; a password has no place among arguments."""
        program = debian_program("redis-server", package="redis-server")
        configuration = self.folder / "redis.conf"
        write_whole(
            configuration,
            f'bind 127.0.0.1\nport {self.port}\ndir "{self.folder}"\nappendonly yes\nsave ""\n'
            f'requirepass "{self.password}"\n',
        )
        return [str(program), str(configuration)]

    def ready(self) -> bool:
        """Whether it has loaded its data."""
        return self.command("PING") == "+PONG"

    def command(self, line: str) -> str:
        """First line of the answer to one inline command, or the error; empty where it cannot be reached."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                # Both lines at once: an answer comes for each, and the login's may be the error.
                connection.sendall(f"AUTH {self.password}\r\n{line}\r\n".encode())
                answers = connection.makefile("rb")
                login = answers.readline().decode().strip()
                return answers.readline().decode().strip() if login == "+OK" else login
        except OSError:
            return ""
