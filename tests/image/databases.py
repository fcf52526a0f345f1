"""A role's databases on a PostgreSQL server, which go with the test that made them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg import sql

from live.servers import Postgres

SERVICES = ("mlflow", "mlflow_auth")


@dataclass(frozen=True, kw_only=True)
class Database:
    """A role with two databases of its own, as CloudNativePG or the bootstrap creates them."""

    server: Postgres
    role: str = field(default_factory=lambda: f"owner_{secrets.token_hex(4)}")
    label: str = field(default_factory=lambda: secrets.token_hex(4))
    # Everything that has to be escaped in a URI, and nothing of it in a service file.
    password: str = field(default_factory=lambda: f"%/@:?#'&{secrets.token_urlsafe(9)}", repr=False)

    def name(self, service: str) -> str:
        return f"{service}_{self.label}"

    def dsn(self, service: str) -> str:
        return self.server.dsn(user=self.role, password=self.password, database=self.name(service))

    def create(self) -> None:
        self.superuser("CREATE ROLE {role} LOGIN PASSWORD {password}")
        for service in SERVICES:
            self.create_one(service, "CREATE DATABASE {database} OWNER {role}")

    def copy(self) -> "Database":
        """The same two databases under other names, with the same owner."""
        copy = replace(self, label=secrets.token_hex(4))
        for service in SERVICES:
            original = sql.Identifier(self.name(service)).as_string()
            copy.create_one(
                service, f"CREATE DATABASE {{database}} TEMPLATE {original} OWNER {{role}} {self._strategy}"
            )
        return copy

    def create_one(self, service: str, statement: str) -> None:
        """Create the service's database by a statement of one's own; it goes with the test."""
        self.superuser(statement, service=service)
        _made.append((self, service))

    @property
    def _strategy(self) -> str:
        """By files, which takes half as long as through the log, the way of PostgreSQL 15 unless told otherwise."""
        with psycopg.connect(self.superuser_dsn(None)) as connection:
            return "STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""

    def _drop(self, service: str) -> None:
        # A server that is about to end may still be connected.
        self.superuser("DROP DATABASE IF EXISTS {database} WITH (FORCE)", service=service)

    def superuser_dsn(self, service: str | None) -> str:
        """Of the service's database, or of the server's own."""
        database = self.name(service) if service else "postgres"
        return self.server.dsn(user=self.server.superuser, password=self.server.superuser_password, database=database)

    def superuser(self, statement: str, *, service: str = "mlflow", inside: str | None = None) -> None:
        """Run one statement as the superuser, in the database of the service ``inside`` if one is named."""
        names = {"role": sql.Identifier(self.role), "database": sql.Identifier(self.name(service))}
        query = sql.SQL(statement).format(**names, password=sql.Literal(self.password))
        with psycopg.connect(self.superuser_dsn(inside), autocommit=True) as connection:
            connection.execute(query)

    def configure(self, name: str, value: str) -> None:
        """Set what the owner's sessions begin with, in these two databases: others of the tests have the same owner."""
        for service in SERVICES:
            self.superuser(f"ALTER ROLE {{role}} IN DATABASE {{database}} SET {name} TO '{value}'", service=service)

    def close(self) -> None:
        """Take no more connections: the databases can be copied, and not be changed."""
        for service in SERVICES:
            self.superuser("ALTER DATABASE {database} ALLOW_CONNECTIONS false", service=service)

    def settings_of_owner(self) -> list[str]:
        """What applies to the owner's sessions in every database, as ``name=value``."""
        with psycopg.connect(self.superuser_dsn(None)) as connection:
            rows = connection.execute(
                "SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setdatabase = 0 AND setrole = %s::regrole",
                [self.role],
            )
            return [setting for (setting,) in rows]

    def query(self, statement: str, *parameters: object, service: str = "mlflow") -> list[tuple[Any, ...]]:
        """Rows of a statement run as the owner; none for a statement without rows."""
        with psycopg.connect(self.dsn(service), autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def revision(self, service: str) -> str:
        ((revision,),) = self.query("SELECT version_num FROM alembic_version", service=service)
        return str(revision)


_made: list[tuple[Database, str]] = []
"""What was created and not dropped, in the order of its creation."""


@contextmanager
def dropped_afterwards() -> Iterator[None]:
    """Databases that are created within the block end with it: hundreds of them fill the memory that they are in."""
    before = len(_made)
    yield
    while len(_made) > before:
        database, service = _made.pop()
        # A server of the test's own is gone already, with all that it had.
        with suppress(psycopg.OperationalError):
            database._drop(service)
