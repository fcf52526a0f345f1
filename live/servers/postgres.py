"""PostgreSQL from Debian, with a superuser and password login only."""

import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from live.servers.cache import debian_program
from live.servers.process import ServerError, TlsServer

ACCOUNT = "postgres"
"""User that Debian's package makes; PostgreSQL refuses to run as root."""


@dataclass(kw_only=True)
class Postgres(TlsServer):
    """A PostgreSQL server; ``tls`` gives it a certificate for ``localhost`` and refuses unencrypted logins.

    ``parameters`` are settings of postgresql.conf, such as ``{"log_statement": "all"}``. On data of an earlier
    server, ``superuser_password`` must be the one it was made with.
    """

    name: ClassVar[str] = "postgres"
    # A fast shutdown: running transactions are rolled back instead of waited for.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    superuser: str = "postgres"
    superuser_password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def superuser_dsn(self) -> str:
        """libpq's connection string of the superuser."""
        return self.dsn(user=self.superuser, password=self.superuser_password)

    def dsn(self, *, user: str, password: str, database: str = "postgres") -> str:
        """libpq's connection string; names and passwords may have any character."""
        options = {"host": "localhost" if self.tls else "127.0.0.1", "port": str(self.port), "dbname": database}
        options |= {"user": user, "password": password, "sslmode": "verify-full" if self.tls else "disable"}
        if self.tls:
            options["sslrootcert"] = str(self.certificate.ca)
        return " ".join(f"{key}={_quoted(value)}" for key, value in options.items())

    def user(self) -> str:
        """Debian's account where we are root and it may enter the folder."""
        return ACCOUNT if os.geteuid() == 0 and _open_to_all(self.folder) else ""

    def _as_nobody_special(self, command: Sequence[str]) -> Sequence[str]:
        """Hide root behind the account's number in a namespace, where the account itself may not enter the folder."""
        if os.geteuid() != 0 or self.user():
            return command
        account = pwd.getpwnam(ACCOUNT)
        return ["unshare", "--user", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}", "--", *command]

    def prepare(self) -> Sequence[str]:
        """Make the database folder once."""
        program = debian_program("postgres", package="postgresql", folders="/usr/lib/postgresql/*/bin")
        cluster = self.folder / "cluster"
        if not (cluster / "PG_VERSION").exists():
            self._initialise(program.with_name("initdb"), cluster)
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            # Debian's default folder belongs to its own account and is shared by all servers.
            "unix_socket_directories": "",
            # No crash of this machine has to be survived, and tests write much.
            "fsync": "off",
            "full_page_writes": "off",
            **self._tls_parameters(),
            **self.parameters,
        }
        command = [str(program), "-D", str(cluster), *(f"--{name}={value}" for name, value in options.items())]
        return self._as_nobody_special(command)

    def _initialise(self, initdb: Path, cluster: Path) -> None:
        shutil.rmtree(cluster, ignore_errors=True)
        cluster.mkdir(mode=0o700)
        password = self.folder / "superuser-password"
        password.touch(mode=0o600)
        password.write_text(self.superuser_password)
        for path in (cluster, password):
            self._give(path)
        command = [str(initdb), "-D", str(cluster), "-U", self.superuser, f"--pwfile={password}", "--no-sync"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]
        account = {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []} if self.user() else {}
        done = subprocess.run(
            self._as_nobody_special(command), capture_output=True, text=True, check=False, cwd="/", **account
        )  # type: ignore[call-overload]
        password.unlink()
        if done.returncode:
            raise ServerError(f"initdb failed in {cluster}: {done.stderr.strip()}")

    def _give(self, path: Path) -> None:
        if self.user():
            shutil.chown(path, ACCOUNT, ACCOUNT)

    def _tls_parameters(self) -> dict[str, str]:
        if not self.tls:
            return {}
        self._give(self.certificate.key)
        hba = self.folder / "pg_hba.conf"
        # Without a line of `host`, so that an unencrypted login is refused.
        hba.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        files = {"ssl_cert_file": self.certificate.certificate, "ssl_key_file": self.certificate.key, "hba_file": hba}
        return {"ssl": "on", **{name: str(path) for name, path in files.items()}}

    def ready(self) -> bool:
        """Whether the superuser can log in."""
        import psycopg

        try:
            psycopg.connect(self.superuser_dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _open_to_all(folder: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.absolute().parents))


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
