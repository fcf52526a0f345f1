"""A database of MLflow: whose it is, and that nobody else may connect."""

from dataclasses import dataclass

from psycopg import sql

from cdk8s_mlflow.settings.database import DatabaseSettings
from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.postgres.makers import maker_of_database
from mlflow_bootstrap.postgres.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database, its owner, and CONNECT of PUBLIC; grants by name, extensions and settings stay as found."""

    server: Server
    settings: DatabaseSettings
    name: str
    needs: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``postgres/database/NAME``."""
        return f"postgres/database/{self.name}"

    @property
    def desired(self) -> State:
        """Its owner, and that PUBLIC, which is everybody, may not connect."""
        return {"owner": self.settings.role, "public_connect": False}

    def read(self) -> State | None:
        """The same as the server has it."""
        return self.server.snapshot().databases.get(self.name)

    def check(self, current: State | None) -> None:
        """Raise if it is not for us to write."""
        if current is None:
            self._require_ours("does not exist")
            return
        if current["owner"] != self.settings.role:
            self._require_ours(f"belongs to {current['owner']}, not to {self.settings.role}")
        if current["public_connect"]:
            self._require_revocable()

    def create(self) -> None:
        """Create it."""
        self.check(None)
        statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(self.name), self._owner)
        with self.server.owning(self.settings.role):
            self.server.write(self.address, statement)
            self._revoke()

    def update(self, current: State) -> None:
        """Give it to its owner, and take CONNECT from everybody."""
        self.check(current)
        if current["owner"] != self.settings.role:
            self._give()
        if current["public_connect"]:
            with self.server.owning(self.settings.role):
                self._revoke()

    def _give(self) -> None:
        statement = sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(self.name), self._owner)
        with self.server.owning(self.settings.role):
            self.server.write(self.address, statement)

    def _revoke(self) -> None:
        statement = sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(self.name))
        self.server.write(self.address, statement)

    def delete(self) -> None:
        """Take it away with all its data; PostgreSQL refuses while somebody is connected."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(self.name))
        with self.server.owning(self.settings.role):
            self.server.write(self.address, statement)

    @property
    def _owner(self) -> sql.Identifier:
        return sql.Identifier(self.settings.role)

    def _require_ours(self, state: str) -> None:
        if self.settings.database_management != "bootstrap":
            raise MissingError(f"database {self.name} {state}", remedy=maker_of_database(self.settings))

    def _require_revocable(self) -> None:
        if self.settings.role_management != "bootstrap" and self.settings.database_management != "bootstrap":
            raise MissingError(
                f"everybody may connect to database {self.name}",
                remedy="the migration Job, which runs as its owner, revokes that; look at its log",
            )
