"""Keycloak from its Maven archive, built for a fast start once and shared by all servers of the machine.

So is what each first start does alike, which is half of its time: the tables and the master realm of its database.
"""

import json
import secrets
import shutil
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from live.servers.cache import cache_root, locked, scratch_folder
from live.servers.certificates import Certificate, issue
from live.servers.keycloak_build import build
from live.servers.process import Server, answers, free_port

LENT = "password-of-the-copy"
"""File of a copied database that still has the password of the original."""
HEAP = "-Xms128m -Xmx640m"
# The quick compiler and the plain collector: a server of a test ends before the thorough ones have paid off. No perf
# data, which a killed one leaves in /tmp.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC -XX:-UsePerfData"


@dataclass(kw_only=True)
class Keycloak(Server):
    """A Keycloak with an embedded database; ``path`` is where it is served, such as ``/auth``.

    ``tls`` gives it a certificate for ``localhost``.
    """

    name: ClassVar[str] = "keycloak"
    start_seconds: ClassVar[float] = 1800

    tls: bool = False
    path: str = ""
    admin_user: ClassVar[str] = "admin"
    admin_password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    management_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return (f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}") + self.path

    @property
    def certificate(self) -> Certificate:
        """The server's certificate, created if it is missing."""
        return issue(self.folder / "tls")

    def prepare(self) -> Sequence[str]:
        """Fetch, build and start Keycloak once a machine; later ones begin with what that start has made."""
        home = build(self.path)
        if not self._database.exists():
            with scratch_folder(self._database) as copy:
                shutil.copytree(_first_database(home, self.path), copy, dirs_exist_ok=True)
                copy.rename(self._database)
        return self._command(home)

    @property
    def _database(self) -> Path:
        return self.folder / "database"

    def _command(self, home: Path) -> Sequence[str]:
        options = {
            "http-enabled": "true",
            "http-host": "127.0.0.1",
            # With TLS plain http gets another port, which nothing is told.
            "http-port": str(free_port() if self.tls else self.port),
            "http-management-port": str(self.management_port),
            "http-management-scheme": "http",
            "hostname-strict": "false",
            # One server needs no cluster, whose discovery takes seconds and opens ports.
            "cache": "local",
            # With these a login costs a fifth: hashes are slow by design, and slower still with the quick compiler.
            "spi-password-hashing--argon2--iterations": "1",
            "spi-password-hashing--argon2--memory": "64",
            "db-url": f"jdbc:h2:file:{self._database}/keycloak;NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE",
            **self._tls_options(),
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        return [str(home / "bin" / "kc.sh"), "start", "--optimized", *arguments]

    def _tls_options(self) -> dict[str, str]:
        if not self.tls:
            return {}
        return {
            "https-port": str(self.port),
            "https-certificate-file": str(self.certificate.certificate),
            "https-certificate-key-file": str(self.certificate.key),
        }

    def environment(self) -> Mapping[str, str]:
        """The first administrator, and a small heap."""
        login = {"KC_BOOTSTRAP_ADMIN_USERNAME": self.admin_user, "KC_BOOTSTRAP_ADMIN_PASSWORD": self.admin_password}
        return {**login, "JAVA_OPTS_KC_HEAP": HEAP, "JAVA_OPTS_APPEND": JAVA_OPTIONS}

    def start(self) -> "Keycloak":
        """Start it, and give the administrator of a database that was copied the own password.

        Raises:
            MissingProgramError: Java is missing, or Keycloak cannot be fetched.
            ServerError: it ended early or is not ready in time.
        """
        super().start()
        try:
            self._take_over()
        except BaseException:
            self.stop()
            raise
        return self

    def _take_over(self) -> None:
        lent = self._database / LENT
        if not lent.exists():
            return
        try:
            self._set_password(lent.read_text())
        except HTTPError as error:
            # An earlier start was killed after the change.
            if error.code != HTTPStatus.UNAUTHORIZED:
                raise
        lent.unlink()

    def _set_password(self, current: str) -> None:
        login = {"grant_type": "password", "client_id": "admin-cli", "username": self.admin_user, "password": current}
        token = self._ask("/realms/master/protocol/openid-connect/token", urlencode(login))["access_token"]
        # Users are in the order of their creation, and there is no other yet.
        (user,) = self._ask("/admin/realms/master/users", token=token)
        change = {"type": "password", "value": self.admin_password, "temporary": False}
        self._ask(f"/admin/realms/master/users/{user['id']}/reset-password", json.dumps(change), token=token)

    def _ask(self, path: str, body: str | None = None, *, token: str = "") -> Any:
        """What a GET without a ``body`` answers, a form's POST, or with a ``token`` a PUT of JSON."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}
        method = "GET" if body is None else "PUT" if token else "POST"
        request = Request(f"{self.url}{path}", None if body is None else body.encode(), headers, method=method)  # noqa: S310
        with urlopen(request, timeout=600, context=self._trusted) as answer:  # noqa: S310
            return json.loads(answer.read() or "null")

    @property
    def _trusted(self) -> ssl.SSLContext | None:
        return self.certificate.context() if self.tls else None

    def ready(self) -> bool:
        """Whether the master realm answers."""
        return answers(f"{self.url}/realms/master", certificate=self.certificate if self.tls else None)


@dataclass(kw_only=True)
class _First(Keycloak):
    """The first one of a machine, which makes its database itself."""

    def prepare(self) -> Sequence[str]:
        return self._command(build(self.path))


def _first_database(home: Path, path: str) -> Path:
    """The database of a Keycloak that has started once, with its administrator's password."""
    target = cache_root() / "keycloak" / f"{home.name}-database"
    if not target.exists():
        with locked(target.name):
            if not target.exists():
                with scratch_folder(target) as scratch:
                    # It has the keys of the realm.
                    scratch.chmod(0o700)
                    with _First(data=scratch, path=path) as server:
                        pass
                    (scratch / "database" / LENT).write_text(server.admin_password)
                    (scratch / "database").rename(target)
                    target.chmod(0o700)
    return target
