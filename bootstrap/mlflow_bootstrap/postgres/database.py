"""A database of MLflow: its owner, and that no other role may connect."""

from dataclasses import dataclass

from psycopg import sql

from cdk8s_mlflow.settings.database import DatabaseSettings
from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.ownership import OWNER, Owner, Standing, mark_text, owner_of, read_mark
from mlflow_bootstrap.postgres.connection import Server
from mlflow_bootstrap.postgres.creators import creator_of_database


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database, its owner, and CONNECT of PUBLIC; grants by name, extensions and settings stay as found."""

    server: Server
    settings: DatabaseSettings
    name: str
    setting: str
    """The setting that names it."""
    instance: str
    depends_on: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``postgres/database/NAME``."""
        return f"postgres/database/{self.name}"

    @property
    def desired(self) -> State:
        """Its owner, that PUBLIC, which is every role, may not connect, and that its users may."""
        opened = {"connections": True} if self._is_managed else {}
        return {"owner": self.settings.role, "public_connect": False, **opened}

    def read(self) -> State | None:
        """The same as the server has it."""
        found = self._found()
        if found is None:
            return None
        state = {name: found[name] for name in ("owner", "public_connect", "connections")}
        return {**state, OWNER: self._owner(found)} if self._is_managed else state

    def _found(self) -> State | None:
        return self.server.snapshot().databases.get(self.name)

    def _owner(self, found: State) -> Owner:
        mark, kept = read_mark(found["comment"])
        unmarked, of_role = found["comment"] is None, found["owner"] == self.settings.role
        # A database that no one can connect to is one whose creation was interrupted.
        if unmarked and of_role and not found["connections"]:
            mark = self.instance
        earlier = unmarked and of_role and not found["public_connect"]
        return owner_of(mark, self.instance, setting=self.setting, earlier=earlier, adopted=kept is not None)

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
        """Create it closed, then mark and open it in one transaction, so that no run leaves one without its mark."""
        self.check(None)
        # CREATE DATABASE runs in no transaction, so the mark cannot be set in the same one.
        statement = sql.SQL("CREATE DATABASE {} OWNER {} ALLOW_CONNECTIONS false").format(self._name, self._role)
        with self.server.owning(self.settings.role):
            self.server.write(self.address, statement)
            current = self.read()
            if current is not None and current[OWNER].standing is Standing.OURS:
                self._open()

    def update(self, current: State) -> None:
        """Give it to its owner, and take CONNECT from PUBLIC."""
        self.check(current)
        with self.server.owning(self.settings.role):
            if current["owner"] != self.settings.role:
                self._write(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(self._name, self._role))
            if self._is_managed and not current["connections"]:
                self._open()
            elif current["public_connect"]:
                self._write(self._revoke)

    def _open(self) -> None:
        found = self._found() or {}
        mark = found.get("comment") or mark_text(self.instance)
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(self._name)
        # Several statements in one string are one transaction (libpq, simple query protocol).
        self._write(sql.SQL("; ").join([self._comment(mark), self._revoke, allow]))

    def adopt(self, current: State) -> None:
        """Comment on it with our mark, and with the owner and the comment that it had."""
        found = self._found() or {}
        kept = {name: found.get(name) for name in ("owner", "public_connect", "connections", "comment")}
        earlier = current[OWNER].standing is Standing.EARLIER
        with self.server.owning(str(current["owner"])):
            self._write(self._comment(mark_text(self.instance, None if earlier else kept)))

    def release(self, current: State) -> None:
        """Give it back to its former owner, with its former comment."""
        found = read_mark((self._found() or {}).get("comment"))[1] or {}
        owner = str(found.get("owner") or self.settings.role)
        parts = [self._comment(found.get("comment"))]
        # Before the owner changes: only an owner grants on its database.
        if found.get("public_connect"):
            parts.append(sql.SQL("GRANT CONNECT ON DATABASE {} TO PUBLIC").format(self._name))
        if owner != self.settings.role:
            parts.append(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(self._name, sql.Identifier(owner)))
        with self.server.owning(self.settings.role):
            self._write(sql.SQL("; ").join(parts))

    def _comment(self, text: str | None) -> sql.Composed:
        return sql.SQL("COMMENT ON DATABASE {} IS {}").format(self._name, sql.Literal(text))

    @property
    def _revoke(self) -> sql.Composed:
        return sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(self._name)

    def _write(self, statement: sql.Composable) -> None:
        self.server.write(self.address, statement)

    def delete(self) -> None:
        """Delete it with all its data; PostgreSQL refuses while a user is connected."""
        with self.server.owning(self.settings.role):
            self._write(sql.SQL("DROP DATABASE IF EXISTS {}").format(self._name))

    @property
    def _name(self) -> sql.Identifier:
        return sql.Identifier(self.name)

    @property
    def _role(self) -> sql.Identifier:
        return sql.Identifier(self.settings.role)

    @property
    def _is_managed(self) -> bool:
        return self.settings.database_management == "bootstrap"

    def _require_ours(self, state: str) -> None:
        if not self._is_managed:
            raise MissingError(f"database {self.name} {state}", remedy=creator_of_database(self.settings))

    def _require_revocable(self) -> None:
        if self.settings.role_management != "bootstrap" and self.settings.database_management != "bootstrap":
            raise MissingError(
                f"everybody may connect to database {self.name}",
                remedy="the migration Job, which runs as its owner, revokes that; look at its log",
            )
