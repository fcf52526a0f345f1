"""The backing services of a node: real servers on this machine, which its pods find under the names of a cluster."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from live.node.node import MANIFESTS, Node
from live.servers import Keycloak, Minio, OpenBao, Postgres, Redis, Server
from live.servers.certificates import Certificate, issue

KEYCLOAK_HOST = "auth.cluster.test"
"""What pods and browsers call Keycloak; Traefik passes its TLS through."""


@dataclass(frozen=True, kw_only=True)
class BackingServices:
    """PostgreSQL, MinIO, Keycloak, OpenBao and Redis; also a context manager. Passwords end with it."""

    certificate: Certificate
    postgres: Postgres
    minio: Minio
    keycloak: Keycloak
    openbao: OpenBao
    redis: Redis

    @classmethod
    def create(cls, folder: Path, *, hosts: Sequence[str]) -> Self:
        """Not started yet; one certificate for all of them and for the public ``hosts``."""
        certificate = issue(
            folder / "tls",
            KEYCLOAK_HOST,
            *hosts,
            "postgres-cluster-rw.postgres.svc",
            "minio.minio.svc",
            "redis.redis.svc",
        )
        for name in ("postgres", "keycloak"):
            certificate.copy_to(folder / name / "tls")
        return cls(
            certificate=certificate,
            postgres=Postgres(data=folder / "postgres", tls=True),
            minio=Minio(data=folder / "minio"),
            keycloak=Keycloak(data=folder / "keycloak", tls=True),
            openbao=OpenBao(data=folder / "openbao"),
            redis=Redis(data=folder / "redis"),
        )

    def __iter__(self) -> Iterator[Server]:
        yield from (self.keycloak, self.postgres, self.minio, self.openbao, self.redis)

    def __enter__(self) -> Self:
        with ThreadPoolExecutor(5) as threads:
            list(threads.map(lambda server: server.start(), self))
        return self

    def __exit__(self, *_: object) -> None:
        with ThreadPoolExecutor(5) as threads:
            list(threads.map(lambda server: server.stop(), self))

    def attach(self, node: Node) -> None:
        """Let the node's pods reach them by the names of their Services."""
        ports = {15432: self.postgres, 19000: self.minio, 18443: self.keycloak, 16379: self.redis}
        for port, server in ports.items():
            node.forward(port, server.port)
        node.apply(MANIFESTS / "backing.yaml")

    @property
    def administration(self) -> Mapping[str, str]:
        """The variables that ``bootstrap.py`` reads."""
        ca = str(self.certificate.ca)
        return {
            "VAULT_ADDR": self.openbao.url,
            "VAULT_TOKEN": self.openbao.token,
            "KEYCLOAK_ADMIN": self.keycloak.admin_user,
            "KEYCLOAK_ADMIN_PASSWORD": self.keycloak.admin_password,
            "KEYCLOAK_CACERT": ca,
            "MINIO_ADMIN_USER": self.minio.root_user,
            "MINIO_ADMIN_PASSWORD": self.minio.root_password,
            "MLFLOW_POSTGRES_CA_CRT_FILE": ca,
            "MLFLOW_SERVER_REDIS_PASSWORD": self.redis.password,
        }

    def value(self, key: str, name: str) -> str | None:
        """A property of a key of the secret store; None if there is none yet."""
        path = f"{self.openbao.mount}/data/{key}"
        if not self.openbao.has(path):
            return None
        values: dict[str, str] = self.openbao.call("GET", path)["data"]["data"]
        return values.get(name)
