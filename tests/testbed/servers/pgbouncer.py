"""PgBouncer from Debian, in transaction mode: each transaction may get another session of PostgreSQL."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from live.servers.cache import debian_program
from live.servers.postgres import ACCOUNT, Postgres
from live.servers.process import Server


@dataclass(kw_only=True)
class PgBouncer(Server):
    """A pooler of all databases of ``postgres``, for the ``users`` with their passwords."""

    name: ClassVar[str] = "pgbouncer"

    postgres: Postgres
    users: Mapping[str, str] = field(repr=False)
    sessions: int = 3
    """Sessions that it keeps for each user and database; they take turns, so that what one of them keeps is noticed."""

    def user(self) -> str:
        """PostgreSQL's account: PgBouncer refuses to run as root."""
        return ACCOUNT

    def prepare(self) -> Sequence[str]:
        """Write configuration and passwords, which have no place among arguments."""
        program = debian_program("pgbouncer", package="pgbouncer", folders="/usr/sbin")
        users = "".join(f"{_quoted(user)} {_quoted(password)}\n" for user, password in self.users.items())
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": self.folder / "users.txt",
            "pool_mode": "transaction",
            "default_pool_size": self.sessions,
            "min_pool_size": self.sessions,
            # PgBouncer would otherwise take the session that was used last, and only one would ever be.
            "server_round_robin": 1,
            "max_client_conn": 100,
        }
        lines = [f"* = host=127.0.0.1 port={self.postgres.port}", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        for file, text in (("users.txt", users), ("pgbouncer.ini", "\n".join(["[databases]", *lines, ""]))):
            path = self.folder / file
            path.touch(mode=0o600)
            path.write_text(text)
            shutil.chown(path, ACCOUNT, ACCOUNT)
        return [str(program), str(self.folder / "pgbouncer.ini")]

    def ready(self) -> bool:
        """Whether the first of its users gets through to PostgreSQL."""
        import psycopg

        user, password = next(iter(self.users.items()))
        try:
            psycopg.connect(self.dsn(user=user, password=password, database="postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def dsn(self, *, user: str, password: str, database: str) -> str:
        """libpq's connection string, through the pooler."""
        direct = self.postgres.dsn(user=user, password=password, database=database)
        return direct.replace(f"port='{self.postgres.port}'", f"port='{self.port}'")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
