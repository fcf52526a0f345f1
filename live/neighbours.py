"""The servers that MLflow needs around it, at the addresses that an environment's settings name."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak, Minio, OpenBao, Postgres, Redis, Server
from live.servers.certificates import Certificate, issue
from live.servers.process import free_port

Say = Callable[[str], None]

LOGINS = ("postgres", "minio", "keycloak", "redis")
"""Servers with a password of an administrator's."""


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """PostgreSQL, MinIO, OpenBao, Keycloak and Redis, all with certificates of one authority where they speak TLS.

    Also a context manager. Data and passwords are kept in the folder that they were made for.
    """

    certificate: Certificate
    postgres: Postgres
    minio: Minio
    openbao: OpenBao
    keycloak: Keycloak
    redis: Redis
    say: Say = field(repr=False)

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        folder: Path,
        openbao_ports: tuple[int, int] | None = None,
        say: Say = lambda _: None,
    ) -> Self:
        """Those that ``settings`` name, not yet started; the secret store's two ports are free ones if not given."""
        folder.mkdir(parents=True, exist_ok=True)
        password = _passwords(folder / "passwords.json")
        certificate = issue(folder / "tls")
        for name in ("postgres", "minio", "keycloak"):
            certificate.copy_to(folder / name / "tls")
        port, cluster_port = openbao_ports or (free_port(), free_port())
        return cls(
            certificate=certificate,
            postgres=_postgres(settings, folder / "postgres", password["postgres"]),
            minio=_minio(settings, folder / "minio", password["minio"]),
            openbao=OpenBao(
                data=folder / "openbao", port=port, cluster_port=cluster_port, mount=settings.secrets.vault_mount
            ),
            keycloak=_keycloak(settings, folder / "keycloak", password["keycloak"]),
            redis=_redis(settings, folder / "redis", password["redis"]),
            say=say,
        )

    def __iter__(self) -> Iterator[Server]:
        yield from (self.keycloak, self.postgres, self.minio, self.openbao, self.redis)

    def start(self) -> Self:
        """Start all at once and wait for each.

        Raises:
            MissingProgramError: a program cannot be installed from here.
            ServerError: one ended early or is not ready in time.
        """
        with ThreadPoolExecutor(5) as threads:
            starting = [threads.submit(self._start, server) for server in self]
            try:
                for started in starting:
                    started.result()
            except BaseException:
                # Or the way out would wait until the slowest is ready.
                self.stop()
                raise
        return self

    def _start(self, server: Server) -> None:
        server.start()
        self.say(f"{server.name} is ready")

    def stop(self) -> None:
        """Stop all at once."""
        with ThreadPoolExecutor(5) as threads:
            list(threads.map(lambda server: server.stop(), self))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def administration(self) -> Mapping[str, str]:
        """The variables that ``bootstrap.py`` reads: where the secret store is, and every administrator's login."""
        ca = str(self.certificate.ca)
        return {
            "VAULT_ADDR": self.openbao.url,
            "VAULT_TOKEN": self.openbao.token,
            "KEYCLOAK_ADMIN": self.keycloak.admin_user,
            "KEYCLOAK_ADMIN_PASSWORD": self.keycloak.admin_password,
            "KEYCLOAK_CACERT": ca,
            "PGUSER": self.postgres.superuser,
            "PGPASSWORD": self.postgres.superuser_password,
            "MINIO_ADMIN_USER": self.minio.root_user,
            "MINIO_ADMIN_PASSWORD": self.minio.root_password,
            "MINIO_CACERT": ca,
            "MLFLOW_POSTGRES_CA_CRT_FILE": ca,
            "MLFLOW_SERVER_REDIS_PASSWORD": self.redis.password,
        }

    def secret(self, key: str, name: str) -> str:
        """A property of a key of the secret store, as External Secrets fetches it.

        Raises:
            LookupError: there is none.
        """
        path = f"{self.openbao.mount}/data/{key}"
        values: dict[str, str] = self.openbao.call("GET", path)["data"]["data"] if self.openbao.has(path) else {}
        if name not in values:
            raise LookupError(f"{name} of {key} is not in the secret store")
        return values[name]


def _postgres(settings: Settings, folder: Path, password: str) -> Postgres:
    database = settings.database
    return Postgres(data=folder, port=database.port, tls=database.verifies_certificate, superuser_password=password)


def _minio(settings: Settings, folder: Path, password: str) -> Minio:
    address = urlsplit(settings.artifacts.endpoint or "")
    return Minio(data=folder, port=address.port or 443, tls=address.scheme == "https", root_password=password)


def _keycloak(settings: Settings, folder: Path, password: str) -> Keycloak:
    login = settings.authentication
    return Keycloak(data=folder, port=login.keycloak_port, tls=True, path=login.keycloak_path, admin_password=password)


def _redis(settings: Settings, folder: Path, password: str) -> Redis:
    redis = settings.authentication.redis
    return Redis(data=folder, port=redis.port if redis else free_port(), password=password)


def _passwords(file: Path) -> dict[str, str]:
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    made = {name: kept.get(name) or secrets.token_urlsafe(18) for name in LOGINS}
    file.touch(mode=0o600)
    file.write_text(json.dumps(made))
    return made
