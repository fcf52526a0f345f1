"""What the tests of PostgreSQL share: runs of only its part, the server's state, and its log of statements."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from changes import named
from psycopg.conninfo import make_conninfo

from cdk8s_mlflow.settings import Settings
from live.servers import Postgres
from mlflow_bootstrap import engine, postgres
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import Outcome
from mlflow_bootstrap.ownership import Adoption
from mlflow_bootstrap.values import FixedValues

OURS = {
    "role_management": "bootstrap",
    "database_management": "bootstrap",
    "host": "db.example.com",
    "sslmode": "disable",
}
# Each of these has a meaning in SQL, in a libpq string or in psycopg's placeholders.
PASSWORD = "the password of the store, with 'quotes', \"more\", \\ and %s"

# A statement may have several lines; the next entry of the log begins with a date.
_STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*(?:\n(?!\d{4}-).*)*)")


def context(server: Postgres, settings: Settings, *, password: str | None = PASSWORD, **environ: str) -> Context:
    """The superuser's view; ``environ`` overrides its login."""
    given = {"PGUSER": server.superuser, "PGPASSWORD": server.superuser_password} | environ
    values = {"postgres": {"password": password}} if password else {}
    return Context(settings=settings, credentials=Credentials(environ=given, ask=None), values=FixedValues(values))


def silent(_: object) -> None:
    """Discard the report."""


def apply(context: Context, adoption: Adoption = engine.NOTHING) -> Outcome:
    """Apply PostgreSQL's part."""
    return engine.apply(postgres.resources(context), report=silent, adoption=adoption)


def plan(context: Context, adoption: Adoption = engine.NOTHING) -> Outcome:
    """Plan PostgreSQL's part."""
    return engine.plan(postgres.resources(context), report=silent, adoption=adoption)


def signs(outcome: Outcome) -> list[str]:
    """The outcome as lines, failures last."""
    return [named(item) for item in (*outcome.changes, *outcome.failures)]


def execute(server: Postgres, *statements: str, database: str = "postgres") -> list[Any]:
    """Run statements as superuser; gives the rows of the last."""
    rows: list[Any] = []
    # CREATE DATABASE cannot run in a transaction.
    with psycopg.connect(make_conninfo(server.superuser_dsn, dbname=database), autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
    return rows


def state(server: Postgres) -> tuple[list[Any], list[Any], list[Any]]:
    """All roles with their passwords, all databases with their grants, and who is a member of what."""
    roles = execute(server, "SELECT row_to_json(found)::text FROM pg_authid AS found ORDER BY rolname")
    databases = execute(server, "SELECT datname, datdba, datacl::text FROM pg_database ORDER BY datname")
    members = execute(server, "SELECT roleid, member FROM pg_auth_members ORDER BY 1, 2")
    return roles, databases, members


def verifier(server: Postgres, role: str) -> str:
    """What the server keeps of the role's password."""
    with psycopg.connect(server.superuser_dsn) as connection:
        (found,) = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role]).fetchone() or (
            "",
        )
    return str(found)


@contextmanager
def statements(server: Postgres) -> Iterator[list[str]]:
    """The statements that the server executes meanwhile, in the list once the block has ended."""
    # The log grows as long as the session lasts: only what is added counts.
    start = server.log.stat().st_size
    seen: list[str] = []
    yield seen
    seen += _STATEMENT.findall(server.log.read_bytes()[start:].decode())
