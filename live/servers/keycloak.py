"""Keycloak from its Maven archive, built for a fast start once and shared by all servers of the machine."""

import hashlib
import secrets
import shutil
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from live.servers.cache import MissingProgramError, cache_root, locked, maven_archive, scratch_folder
from live.servers.certificates import Certificate, issue
from live.servers.process import Server, ServerError, answers, free_port

VERSION = "26.5.6"
HEAP = "-Xms128m -Xmx640m"


@dataclass(kw_only=True)
class Keycloak(Server):
    """A Keycloak with an embedded database; ``path`` is where it is served, such as ``/auth``.

    ``tls`` gives it a certificate for ``localhost``.
    """

    name: ClassVar[str] = "keycloak"
    start_seconds: ClassVar[float] = 1800

    tls: bool = False
    path: str = ""
    admin_user: str = "admin"
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
        """Fetch and build Keycloak once a machine."""
        home = _built(self.path)
        database = self.folder / "database" / "keycloak"
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
            "db-url": f"jdbc:h2:file:{database};NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE",
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
        # The quick compiler only: a server of a test ends before the thorough one has paid off. No perf data, which
        # a killed one leaves in /tmp.
        return {**login, "JAVA_OPTS_KC_HEAP": HEAP, "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1 -XX:-UsePerfData"}

    def ready(self) -> bool:
        """Whether the master realm answers."""
        return answers(f"{self.url}/realms/master", certificate=self.certificate if self.tls else None)


def _built(path: str) -> Path:
    options = ["--db=dev-file", "--health-enabled=true", f"--http-relative-path={path or '/'}"]
    digest = hashlib.sha256(" ".join([VERSION, *options]).encode()).hexdigest()[:10]
    home = cache_root() / "keycloak" / f"{VERSION}-{digest}"
    if not home.exists():
        archive = maven_archive(f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip")
        with locked(f"keycloak-{digest}"):
            if not home.exists():
                _build(archive, options, home)
    return home


def _build(archive: Path, options: list[str], home: Path) -> None:
    if not shutil.which("java"):
        raise MissingProgramError("java is missing; install the Debian package openjdk-17-jre-headless")
    with scratch_folder(home) as scratch:
        with zipfile.ZipFile(archive) as files:
            files.extractall(scratch)
        unpacked = scratch / f"keycloak-{VERSION}"
        program = unpacked / "bin" / "kc.sh"
        program.chmod(0o755)
        # At build time, so that `start --optimized` need not do it again at each start.
        done = subprocess.run([program, "build", *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"kc.sh build failed: {(done.stdout + done.stderr).strip()}")
        unpacked.rename(home)
