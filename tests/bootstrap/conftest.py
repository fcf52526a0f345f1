"""The real servers of the bootstrap's tests, each started once a session on free ports of 127.0.0.1.

A Keycloak takes as long as all the others together, so it starts beside the tests that need none, which come first.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from command_line import Servers
from healthy_cluster import HealthyCluster
from many import Tenant
from secrecy import SecretDetector, hear_error, hear_report, listening, values_of
from sql import OURS
from sso import PASSWORD, SECRETS, SERVICE_ACCOUNT, administrator, make_service_account

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak, Minio, OpenBao, Postgres
from testbed.node.api_server import ApiServer
from testbed.servers.memory import memory_folder

WITNESS = SecretDetector()
KEYCLOAKS: Mapping[str, Mapping[str, Any]] = {
    "keycloak_server": {},
    "private_keycloak": {"tls": True, "path": "/auth"},
}
"""Fixtures that give a Keycloak, and what is special about it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests without a Keycloak first."""
    # The sort is stable: within both halves the order of files stays.
    items.sort(key=lambda item: bool(_keycloaks_of(item)))


def _keycloaks_of(item: pytest.Item) -> set[str]:
    return KEYCLOAKS.keys() & set(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def detector() -> Iterator[SecretDetector]:
    """Fails the session where any output, log or error of it held a secret; its verdict comes after all servers."""
    WITNESS.know(PASSWORD, SERVICE_ACCOUNT["KEYCLOAK_ADMIN_CLIENT_SECRET"])
    WITNESS.know(*(value for entry in SECRETS.values() for value in entry.values()))
    with listening(WITNESS):
        yield WITNESS
    assert WITNESS.findings() == []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Hear what each test printed."""
    hear_report(WITNESS, report)


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Hear what each test raised."""
    hear_error(WITNESS, item.nodeid, call.excinfo.value if call.excinfo else None)


def _heard(server: Postgres | Minio | OpenBao | Keycloak, *secrets: str) -> None:
    """Know a server's own secrets, and hear all that it wrote."""
    WITNESS.know(*secrets)
    # When the server ends: by then its log holds whatever any test made it write.
    WITNESS.hear(f"log of {server.name}", server.log.read_text(errors="replace"))


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A folder in memory, if there is one: these servers create thousands of files and wait for each to be kept."""
    with memory_folder("servers-") as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres_server(memory: Path) -> Iterator[Postgres]:
    """A PostgreSQL that logs every statement."""
    # The log is where a password in a statement would be found.
    with Postgres(data=memory / "postgres", parameters={"log_statement": "all"}) as server:
        yield server
        _heard(server, server.superuser_password)


@pytest.fixture(scope="session")
def minio_server(memory: Path) -> Iterator[Minio]:
    """A MinIO without TLS."""
    with Minio(data=memory / "minio") as server:
        yield server
        _heard(server, server.root_password)


@pytest.fixture(scope="session")
def openbao_server(memory: Path) -> Iterator[OpenBao]:
    """An OpenBao with a KV version 2 engine at ``secret``."""
    with OpenBao(data=memory / "openbao") as server:
        yield server
        _heard(server, server.token, *values_of(server))


@pytest.fixture(scope="session", autouse=True)
def starting(request: pytest.FixtureRequest, memory: Path) -> Iterator[Mapping[str, "Future[Keycloak]"]]:
    """The Keycloaks that the session's tests ask for, one starting after the other."""
    asked = set().union(*map(_keycloaks_of, request.session.items))
    servers = {name: Keycloak(data=memory / name, **special) for name, special in KEYCLOAKS.items() if name in asked}
    # One at a time: two starting Keycloaks on two cores take longer than one after the other.
    with ThreadPoolExecutor(1) as threads:
        yield {name: threads.submit(server.start) for name, server in servers.items()}
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="session")
def keycloak_server(starting: Mapping[str, "Future[Keycloak]"]) -> Iterator[Keycloak]:
    """A Keycloak with nothing but its master realm."""
    with starting["keycloak_server"].result() as server:
        make_service_account(server)
        yield server
        _heard(server, server.admin_password)


@pytest.fixture(scope="session")
def private_keycloak(starting: Mapping[str, "Future[Keycloak]"]) -> Iterator[Keycloak]:
    """One below a path, with a certificate of an authority that only its users know."""
    with starting["private_keycloak"].result() as server:
        yield server
        _heard(server, server.admin_password)


@pytest.fixture(scope="session")
def keycloak_realm(keycloak_server: Keycloak) -> str:
    """A realm that many tests share, each with names of its own: a realm takes seconds to make."""
    realm = "platform team"
    # The name has a space, which belongs into no URL as it is.
    administrator(keycloak_server).create_realm({"realm": realm, "enabled": True})
    return realm


@pytest.fixture(scope="session")
def keycloak_settings(
    settings_of: Callable[..., Settings], keycloak_server: Keycloak, keycloak_realm: str
) -> Callable[..., Settings]:
    """Settings with clients, scope and groups of their own in the shared realm; give keys of ``authentication``."""

    def make(*, release: str = "3.6.0", url: str = keycloak_server.url, **authentication: object) -> Settings:
        number = next(_NUMBERS)
        names = {
            "realm": keycloak_realm,
            "client_id": f"mlflow-{number}",
            "machine_client": f"machines-{number}",
            # Off unless a test is about it: it adds a client and rights to all that plans list.
            "directory_client": None,
            "groups_claim": f"groups-{number}",
            "admin_group": f"admins-{number}",
            "user_group": f"users-{number}",
        }
        return settings_of(release=release, authentication=names | authentication, bootstrap={"keycloak_url": url})

    return make


@pytest.fixture(scope="session")
def settings_of() -> Callable[..., Settings]:
    """Settings of an environment with names of its own in the systems that the session shares.

    Give sections as dictionaries: ``settings_of(release="3.17.2", database={"role": "odd"})``.
    """
    return _settings


def _settings(**sections: Any) -> Settings:
    number = next(_NUMBERS)
    defaults: dict[str, Any] = {
        "ingress": {"host": "mlflow.example.com"},
        "authentication": {"keycloak_host": "auth.example.com", "realm": f"realm-{number}"},
        "database": {"name": f"mlflow_{number}", "auth_name": f"mlflow_auth_{number}", "role": f"mlflow_{number}"},
        "artifacts": {"bucket": f"mlflow-{number}"},
        # Faults are the rule here: short pauses, but time enough for a Keycloak on a loaded machine.
        "bootstrap": {"attempts": 3, "backoff_seconds": 0.05, "connect_timeout_seconds": 5, "read_timeout_seconds": 60},
    }
    # Names that only MinIO and Vault have are refused beside another store.
    if "kind" not in sections.get("artifacts", {}):
        defaults["artifacts"] |= {"user": f"mlflow-{number}", "policy": f"mlflow-{number}"}
    if "mode" not in sections.get("secrets", {}):
        defaults["secrets"] = {"vault_prefix": f"mlflow-{number}"}
    merged = {
        name: {**defaults.get(name, {}), **section} if isinstance(section, dict) else section
        for name, section in {**defaults, **sections}.items()
    }
    return Settings.model_validate(merged)


_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[HealthyCluster]:
    """An API server that holds ``dist/production`` in health."""
    with ApiServer() as server:
        yield HealthyCluster.create(server)


@pytest.fixture
def kubeconfig(cluster: HealthyCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """``cluster`` is the one that kubectl and doctor find."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.server.kubeconfig))


@pytest.fixture(scope="session")
def servers(
    keycloak_server: Keycloak, postgres_server: Postgres, minio_server: Minio, openbao_server: OpenBao
) -> Servers:
    """The session's servers."""
    return Servers(keycloak=keycloak_server, postgres=postgres_server, minio=minio_server, openbao=openbao_server)


@pytest.fixture
def make(servers: Servers, keycloak_realm: str) -> Callable[..., Tenant]:
    """Environments of which nothing exists yet; all names follow from the instance unless a section gives one."""

    def make(instance: str, *, release: str = "3.6.0", groups: str | None = None, **sections: Any) -> Tenant:
        login = {
            "keycloak_host": "auth.example.com",
            "realm": keycloak_realm,
            "machine_client": f"{instance}-machines",
            "admin_group": f"{groups or instance}-admins",
            "user_group": f"{groups or instance}-users",
        }
        defaults: dict[str, Any] = {
            "ingress": {"host": f"{instance}.example.com"},
            "authentication": login,
            "database": OURS,
            "bootstrap": {**servers.addresses(), "attempts": 3, "backoff_seconds": 0.05, "read_timeout_seconds": 120},
        }
        for name, section in sections.items():
            defaults[name] = {**defaults.get(name, {}), **section}
        settings = Settings.model_validate({"instance": instance, "release": release, **defaults})
        return Tenant(servers=servers, settings=settings)

    return make
