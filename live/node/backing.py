"""The backing services of a node: real servers on this machine, which its pods find under the names of a cluster."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from live.files import write_whole
from live.node.addons import MANIFESTS
from live.node.node import Node
from live.servers import Keycloak, Minio, OpenBao, Postgres, Redis, Server
from live.servers.certificates import Certificate, issue
from live.servers.process import free_port

KEYCLOAK_HOST = "auth.cluster.test"
"""What pods and browsers of the tests call Keycloak; Traefik passes its TLS through."""

LOGINS = ("postgres", "minio", "keycloak", "redis")
"""Servers with a password of an administrator's."""


@dataclass(frozen=True, kw_only=True)
class BackingServices:
    """PostgreSQL, MinIO, Keycloak, OpenBao and Redis; also a context manager.

    Data, certificate and passwords are kept in the folder that they were created for.
    """

    certificate: Certificate
    postgres: Postgres
    minio: Minio
    keycloak: Keycloak
    openbao: OpenBao
    redis: Redis
    keycloak_host: str
    """What pods and browsers call Keycloak."""

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        hosts: Sequence[str],
        keycloak_host: str = KEYCLOAK_HOST,
        ports: Mapping[str, int] | None = None,
    ) -> Self:
        """Not started yet; one certificate for all of them and for the public ``hosts``.

        ``ports`` are those of ``postgres``, ``minio``, ``keycloak``, ``openbao``, ``consensus`` and ``redis``, free
        ones if not given.
        """
        folder.mkdir(parents=True, exist_ok=True)
        password = kept_passwords(folder / "passwords.json", LOGINS)
        services = ("postgres-cluster-rw.postgres.svc", "minio.minio.svc", "redis.redis.svc")
        certificate = issue(folder / "tls", keycloak_host, *hosts, *services)
        # Both look for the certificate in their own folder.
        for name in ("postgres", "keycloak"):
            certificate.copy_to(folder / name / "tls")
        names = (*LOGINS, "openbao", "consensus")
        port = {name: ports[name] if ports else free_port() for name in names}
        return cls(
            certificate=certificate,
            postgres=Postgres(
                data=folder / "postgres", port=port["postgres"], tls=True, superuser_password=password["postgres"]
            ),
            minio=Minio(data=folder / "minio", port=port["minio"], root_password=password["minio"]),
            keycloak=Keycloak(
                data=folder / "keycloak", port=port["keycloak"], tls=True, admin_password=password["keycloak"]
            ),
            openbao=OpenBao(data=folder / "openbao", port=port["openbao"], cluster_port=port["consensus"]),
            redis=Redis(data=folder / "redis", port=port["redis"], password=password["redis"]),
            keycloak_host=keycloak_host,
        )

    def __iter__(self) -> Iterator[Server]:
        yield from (self.keycloak, self.postgres, self.minio, self.openbao, self.redis)

    def __enter__(self) -> Self:
        # At once: all of the wait is Keycloak's.
        with ThreadPoolExecutor(5) as threads:
            starting = [threads.submit(server.start) for server in self]
            try:
                for started in starting:
                    started.result()
            except BaseException:
                # Or the way out would wait until the slowest is ready.
                self.stop()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop all at once."""
        with ThreadPoolExecutor(5) as threads:
            list(threads.map(lambda server: server.stop(), self))

    def attach(self, node: Node) -> None:
        """Let the node's pods reach them by the names of their Services."""
        ports = {15432: self.postgres, 19000: self.minio, 18443: self.keycloak, 16379: self.redis}
        for port, server in ports.items():
            node.forward(port, server.port)
        manifests = (MANIFESTS / "backing.yaml").read_text().replace("KEYCLOAK_HOST", self.keycloak_host)
        node.kubectl("apply", "--server-side", "--filename", "-", stdin=manifests)

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
            "PGUSER": self.postgres.superuser,
            "PGPASSWORD": self.postgres.superuser_password,
            "MINIO_ADMIN_USER": self.minio.root_user,
            "MINIO_ADMIN_PASSWORD": self.minio.root_password,
            "MLFLOW_POSTGRES_CA_CRT_FILE": ca,
            "MLFLOW_SERVER_REDIS_PASSWORD": self.redis.password,
            "MLFLOW_BACKUP_ACCESSKEY": self.minio.root_user,
            "MLFLOW_BACKUP_SECRETKEY": self.minio.root_password,
        }

    def value(self, key: str, name: str) -> str | None:
        """A property of a key of the secret store; None if there is none yet."""
        path = f"{self.openbao.mount}/data/{key}"
        if not self.openbao.has(path):
            return None
        values: dict[str, str] = self.openbao.call("GET", path)["data"]["data"]
        return values.get(name)


def kept_passwords(file: Path, names: Sequence[str]) -> dict[str, str]:
    """A password for each of ``names``, created once and kept in ``file``."""
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    passwords = {name: kept.get(name) or secrets.token_urlsafe(12) for name in names}
    write_whole(file, json.dumps({**kept, **passwords}))
    return passwords
