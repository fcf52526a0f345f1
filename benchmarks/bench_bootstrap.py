"""How light the bootstrap is: the time of --help, and what a verify costs beside its round trips.

Starts real servers, applies an environment with everything in it, records what a verify sends, and sends the very same
bytes again: the ratio of the two times, both the best of several, is what our code adds.
"""

import http.client
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak, Minio, OpenBao, Postgres
from mlflow_bootstrap import engine, keycloak
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import Outcome
from mlflow_bootstrap.run import Run
from mlflow_bootstrap.systems import PARTS
from testbed.servers.memory import memory_folder

ROOT = Path(__file__).parents[1]
ROUNDS = 15
_NEW_REQUEST = re.compile(rb"(GET|HEAD|POST|PUT|DELETE) /")
_STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): ")

Request = tuple[str, int, bytes]
"""Host, port, and all that is sent."""


class Site:
    """An environment on four real servers, with everything in place."""

    def __init__(self, servers: ExitStack, folder: Path) -> None:
        self.keycloak = servers.enter_context(Keycloak())
        self.postgres = servers.enter_context(Postgres(data=folder / "postgres", parameters={"log_statement": "all"}))
        self.minio = servers.enter_context(Minio(data=folder / "minio"))
        self.openbao = servers.enter_context(OpenBao(data=folder / "openbao"))
        self.settings = Settings.model_validate(self._sections())
        # A verify has everything to read only if everything is there.
        self._make()

    def _sections(self) -> Mapping[str, Any]:
        return {
            "ingress": {"host": "mlflow.example.com"},
            "authentication": {"keycloak_host": "auth.example.com", "machine_client": "mlflow-machines"},
            "database": {
                "host": "db.example.com",
                "sslmode": "disable",
                "role_management": "bootstrap",
                "database_management": "bootstrap",
            },
            "artifacts": {"versioned": True},
            "bootstrap": {
                "keycloak_url": self.keycloak.url,
                "postgres_host": "localhost",
                "postgres_port": self.postgres.port,
                "s3_endpoint": self.minio.url,
            },
        }

    @property
    def _environ(self) -> Mapping[str, str]:
        return {
            "KEYCLOAK_ADMIN_PASSWORD": self.keycloak.admin_password,
            "PGPASSWORD": self.postgres.superuser_password,
            "MINIO_ADMIN_USER": self.minio.root_user,
            "MINIO_ADMIN_PASSWORD": self.minio.root_password,
            "VAULT_ADDR": self.openbao.url,
            "VAULT_TOKEN": self.openbao.token,
        }

    def run(self) -> Run:
        """A new run, as a new process would have."""
        return Run(
            settings=self.settings,
            credentials=Credentials(environ=self._environ, ask=None),
            report=lambda _: None,
            step=lambda _: nullcontext(),
            create_realm=True,
            probe=True,
        )

    def _make(self) -> None:
        run = self.run()
        _require(run.each(PARTS, lambda resources: engine.apply(resources, report=run.report)), changes=True)
        admin = self.keycloak.administration(self.settings.authentication.realm)
        # A member, or the proof of the groups' claim would have no one to ask about, and send fewer requests.
        admin.create_user({"username": "anna", "email": "anna@example.com", "enabled": True})
        keycloak.add_user_to_group(self.run().context, user="anna", group="mlflow-users")

    def verify(self) -> None:
        """What `bootstrap.py verify` does once its libraries are imported."""
        run = self.run()
        _require(run.each(PARTS, lambda resources: engine.plan(resources, report=run.report)))

    def log_in_to_postgres(self, password: str) -> None:
        """The two logins and the one statement that a verify has for PostgreSQL."""
        with psycopg.connect(self.postgres.superuser_dsn, autocommit=True) as connection:
            connection.execute("SELECT 1 FROM pg_roles")
        role = self.settings.database.role
        # The proof of the role's password, which is a login of its own.
        psycopg.connect(self.postgres.dsn(user=role, password=password, database=self.settings.database.name)).close()

    def statements(self) -> int:
        """Statements that PostgreSQL has executed so far."""
        return len(_STATEMENT.findall(self.postgres.log.read_text()))


def _require(outcome: Outcome, *, changes: bool = False) -> None:
    if outcome.failures or (outcome.pending and not changes):
        raise SystemExit("\n".join(str(item) for item in (*outcome.failures, *outcome.pending)))


@contextmanager
def recorded() -> Iterator[list[Request]]:
    """Every HTTP request that is sent meanwhile; urllib3, which all clients stand on, sends by http.client."""
    seen: list[Request] = []
    send = http.client.HTTPConnection.send

    def recording(self: http.client.HTTPConnection, data: Any) -> None:
        sent = data if isinstance(data, bytes) else bytes(data)
        # http.client sends the body of a request by a second call.
        if _NEW_REQUEST.match(sent):
            seen.append((self.host, self.port, sent))
        else:
            host, port, begun = seen.pop()
            seen.append((host, port, begun + sent))
        send(self, data)

    http.client.HTTPConnection.send = recording  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        http.client.HTTPConnection.send = send  # type: ignore[method-assign]


def replay(requests: Sequence[Request]) -> None:
    """Send the same bytes over one connection a server, and read the answers."""
    connections: dict[tuple[str, int], http.client.HTTPConnection] = {}
    for host, port, sent in requests:
        connection = connections.setdefault((host, port), http.client.HTTPConnection(host, port, timeout=60))
        if connection.sock is None:
            connection.connect()
        # The bytes as they were, signatures of S3 and tokens included, which are valid for minutes.
        connection.sock.sendall(sent)
        answer = http.client.HTTPResponse(connection.sock, method=sent.split(b" ", 1)[0].decode())
        answer.begin()
        answer.read()
    for connection in connections.values():
        connection.close()


def seconds(action: Callable[[], object]) -> float:
    """Wall seconds of ``action``."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def help_seconds() -> float:
    """Wall seconds of `bootstrap.py --help`, the best of several."""
    command = [sys.executable, str(ROOT / "bootstrap.py"), "--help"]
    return min(seconds(lambda: subprocess.run(command, capture_output=True, check=True)) for _ in range(5))


def measure(site: Site) -> None:
    """Measure verify and print."""
    password = site.run().backend.values.value("postgres", "password")
    if password is None:
        raise SystemExit("error: the store has no password")
    secret = password.get_secret_value()
    before = site.statements()
    with recorded() as requests:
        site.verify()
    statements = site.statements() - before
    # In turn, so that both feel the same machine; of each the best, which load can only worsen.
    pairs = [
        (seconds(site.verify), seconds(lambda: (replay(requests), site.log_in_to_postgres(secret))))
        for _ in range(ROUNDS)
    ]
    total, trips = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    print(
        f"verify                   {len(requests)} HTTP requests (at most 25), {statements} SQL statements (at most 6)"
    )
    print(f"its time, imports aside  {total * 1000:.0f} ms, only the round trips {trips * 1000:.0f} ms")
    print(f"ratio                    {total / trips:.2f} (below 2)")


def main() -> None:
    """Start the servers, measure and print."""
    print(f"bootstrap.py --help      {help_seconds():.2f} s (below 0.3)")
    with memory_folder("bench-") as folder, ExitStack() as servers:
        measure(Site(servers, folder))


if __name__ == "__main__":
    main()
