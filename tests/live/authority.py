"""Servers of a node with certificates of another authority, and whether its pods use what they are to trust."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml
from psycopg import sql

from cdk8s_mlflow.contract import METRICS_PORT, SECRETS_ROOT
from live.servers.certificates import Certificate, issue
from mlflow_bootstrap.in_use import READ_IN_POD
from testbed.system import System

FILES = ("ca/ca.crt", "db/ca.crt")
"""Authorities that the server's pods have mounted, below the root of their Secrets."""

ROUTE = ("ingressroutetcp", "keycloak", "--namespace", "keycloak")
ENDS_TLS = """
apiVersion: traefik.io/v1alpha1
kind: ServersTransportTCP
metadata: {name: unchecked, namespace: keycloak}
spec: {tls: {insecureSkipVerify: true}}
"""


def other_authority(system: System, folder: Path) -> Certificate:
    """One that signed a certificate for Keycloak and PostgreSQL."""
    # Not for MLflow's own host, or Traefik might show it there.
    return issue(folder, system.backing.keycloak_host, "postgres-cluster-rw.postgres.svc")


def client_trusting(system: System, authorities: Path) -> httpx.Client:
    """A browser's client at the public address that trusts what a file names."""
    context = ssl.create_default_context(cafile=str(authorities))
    return system.client(context=context, follow_redirects=True, retries=3)


@contextmanager
def signed_by(system: System, other: Certificate) -> Iterator[None]:
    """PostgreSQL, and Keycloak under its public name, have a certificate of ``other`` meanwhile."""
    own = system.backing.postgres.certificate
    before = {path: path.read_bytes() for path in (own.ca, own.certificate, own.key)}
    route = system.node.get(*ROUTE)["spec"]
    # Its session outlasts the change.
    with psycopg.connect(system.backing.postgres.superuser_dsn, autocommit=True) as superuser:
        try:
            texts = [path.read_bytes() for path in (other.ca, other.certificate, other.key)]
            _change_postgres(superuser, dict(zip(before, texts, strict=True)), system.settings.database.name)
            _end_tls(system, other, route)
            _wait_shown(system, other)
            yield
        finally:
            _change_postgres(superuser, before, system.settings.database.name)
            _replace_route(system, route)
            _wait_shown(system, system.backing.certificate)


def _wait_shown(system: System, certificate: Certificate) -> None:
    host, context = system.backing.keycloak_host, certificate.context()

    def shown() -> bool:
        # A connection of its own each time: one that is open has the earlier certificate.
        with system.client(context=context) as client:
            try:
                return client.get(f"https://{host}/realms/{system.settings.authentication.realm}").status_code == 200
            except httpx.ConnectError:
                return False

    system.node.wait("Keycloak's certificate", shown)


def _change_postgres(superuser: "psycopg.Connection[Any]", files: dict[Path, bytes], database: str) -> None:
    for path, content in files.items():
        # The file stays PostgreSQL's own.
        path.write_bytes(content)
    superuser.execute("SELECT pg_reload_conf()")
    ended = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}")
    superuser.execute(ended.format(database))


def _end_tls(system: System, other: Certificate, route: dict[str, Any]) -> None:
    """Keycloak reads its own certificate anew once in half a minute at most; Traefik does so at once."""
    kubectl, where = system.node.kubectl, ("--namespace", "keycloak")
    kubectl("delete", "secret", "other-authority", "--ignore-not-found", *where)
    files = (f"--cert={other.certificate}", f"--key={other.key}")
    kubectl("create", "secret", "tls", "other-authority", *files, *where)
    kubectl("apply", "--server-side", "--filename", "-", stdin=ENDS_TLS)
    (rule,) = route["routes"]
    (service,) = rule["services"]
    ended = {**service, "tls": True, "serversTransport": "unchecked"}
    _replace_route(
        system, {**route, "routes": [{**rule, "services": [ended]}], "tls": {"secretName": "other-authority"}}
    )


def _replace_route(system: System, spec: dict[str, Any]) -> None:
    body = system.node.get(*ROUTE)
    system.node.kubectl("replace", "--filename", "-", stdin=yaml.safe_dump({**body, "spec": spec}))


@dataclass
class Mounted:
    """The authorities that a pod of the server has mounted, and whether its workers use them."""

    system: System
    _digests: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._digests = self._look()["digests"]

    def wait_changed(self) -> None:
        """Wait until all of them are others than at the last look, and every worker was started with them.

        Raises:
            NodeError: it takes longer than ten minutes.
        """
        changed: list[dict[str, Any]] = []

        def used() -> bool:
            found = self._look()
            if any(found["digests"][name] == digest for name, digest in self._digests.items()):
                return False
            changed.append(found)
            return bool(found["used"] is not None and found["used"] > changed[0]["began"])

        self.system.node.wait("workers with other authorities", used)
        self._digests = changed[-1]["digests"]

    def _look(self) -> dict[str, Any]:
        program = ("python", "-c", READ_IN_POD, SECRETS_ROOT, str(METRICS_PORT), *FILES)
        printed = self.system.workloads.kubectl("exec", "deploy/mlflow", "--container", "mlflow", "--", *program)
        found: dict[str, Any] = json.loads(printed)
        assert set(found["digests"]) == set(FILES)
        return found
