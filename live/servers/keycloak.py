"""Keycloak from its Maven archive, built for a fast start once and shared by all servers of the machine.

So is what each first start does alike, which is half of its time: the tables and the master realm of its database.
"""

import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from live.servers.cache import cache_root, make_once, scratch_folder
from live.servers.keycloak_build import build
from live.servers.process import TlsServer, free_port

if TYPE_CHECKING:
    from keycloak import KeycloakAdmin

LENT = "password-of-the-copy"
"""File of a copied database that still has the password of the original."""
HEAP = "-Xms128m -Xmx640m"
# The quick compiler and the plain collector: a server of a test ends before the thorough ones have paid off. No perf
# data, which a killed one leaves in /tmp.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC -XX:-UsePerfData"


@dataclass(kw_only=True)
class Keycloak(TlsServer):
    """A Keycloak with an embedded database; ``path`` is where it is served, such as ``/auth``.

    ``tls`` gives it a certificate for ``localhost``.
    """

    name: ClassVar[str] = "keycloak"
    start_seconds: ClassVar[float] = 1800

    path: str = ""
    admin_user: ClassVar[str] = "admin"
    admin_password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    management_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return super().url + self.path

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
        # Only a start on a copied database waits for the library.
        from keycloak import KeycloakAuthenticationError

        administration = self.administration(password=lent.read_text(), timeout=600)
        # An earlier start may have been killed after the change.
        with suppress(KeycloakAuthenticationError):
            # There is no other user yet.
            (user,) = administration.get_users()
            administration.set_user_password(user["id"], self.admin_password, temporary=False)
        lent.unlink()

    def administration(self, realm: str = "master", *, password: str = "", timeout: int = 60) -> "KeycloakAdmin":
        """python-keycloak in ``realm``, as the first administrator, who is a user of master only."""
        from keycloak import KeycloakAdmin

        return KeycloakAdmin(
            # Without the slash the library would leave out the path.
            server_url=f"{self.url}/",
            username=self.admin_user,
            password=password or self.admin_password,
            realm_name=realm,
            user_realm_name="master",
            verify=str(self.certificate.ca) if self.tls else True,
            timeout=timeout,
        )

    def ready(self) -> bool:
        """Whether the master realm answers."""
        return self.answers("/realms/master")


@dataclass(kw_only=True)
class _First(Keycloak):
    """The first one of a machine, which makes its database itself."""

    def prepare(self) -> Sequence[str]:
        return self._command(build(self.path))


def _first_database(home: Path, path: str) -> Path:
    """The database of a Keycloak that has started once, with its administrator's password."""

    def start_once(scratch: Path) -> Path:
        # It has the keys of the realm.
        scratch.chmod(0o700)
        with _First(data=scratch, path=path) as server:
            pass
        database = scratch / "database"
        (database / LENT).write_text(server.admin_password)
        database.chmod(0o700)
        return database

    return make_once(cache_root() / "keycloak" / f"{home.name}-database", "creating Keycloak's database", start_once)
