"""The real servers of the bootstrap's tests, each started once a session on free ports of 127.0.0.1."""

from collections.abc import Iterator

import pytest

from live.servers import Keycloak, Minio, OpenBao, Postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL that logs every statement."""
    with Postgres(parameters={"log_statement": "all"}) as server:
        yield server


@pytest.fixture(scope="session")
def minio_server() -> Iterator[Minio]:
    """A MinIO without TLS."""
    with Minio() as server:
        yield server


@pytest.fixture(scope="session")
def openbao_server() -> Iterator[OpenBao]:
    """An OpenBao with a KV version 2 engine at ``secret``."""
    with OpenBao() as server:
        yield server


@pytest.fixture(scope="session")
def keycloak_server() -> Iterator[Keycloak]:
    """A Keycloak with nothing but its master realm."""
    with Keycloak() as server:
        yield server
