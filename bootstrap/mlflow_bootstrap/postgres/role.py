"""The role that owns both databases: it logs in and may nothing else."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from psycopg import sql

from cdk8s_mlflow.settings.database import DatabaseSettings
from mlflow_bootstrap.difference import Secrecy, State, differences
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.ownership import OWNER, Owner, Standing, mark_text, owner_of, read_mark
from mlflow_bootstrap.postgres.connection import Server
from mlflow_bootstrap.postgres.creators import creator_of_role
from mlflow_bootstrap.postgres.login import Login
from mlflow_bootstrap.values import SecretValues, required

ATTRIBUTES = MappingProxyType(
    {
        "login": (True, "LOGIN"),
        "superuser": (False, "NOSUPERUSER"),
        "create_databases": (False, "NOCREATEDB"),
        "create_roles": (False, "NOCREATEROLE"),
        "replication": (False, "NOREPLICATION"),
        "bypass_row_security": (False, "NOBYPASSRLS"),
        "inherit": (True, "INHERIT"),
        "connection_limit": (-1, "CONNECTION LIMIT -1"),
        "expires": (False, "VALID UNTIL 'infinity'"),
    }
)
"""All attributes of a role: as they should be, and what brings them there."""

_OTHERWISE = frozenset(ATTRIBUTES) - {"expires"}


def _words(name: str, value: Any) -> str:
    """What gives the attribute ``name`` the value that it had."""
    wanted, words = ATTRIBUTES[name]
    if name == "connection_limit":
        return f"CONNECTION LIMIT {int(value)}"
    if value == wanted:
        return words
    # Each attribute has a form with NO and one without (PostgreSQL, "CREATE ROLE").
    return words.removeprefix("NO") if words.startswith("NO") else f"NO{words}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The role with all its attributes and the password of the store; memberships and grants stay as found."""

    server: Server
    settings: DatabaseSettings
    values: SecretValues
    login: Login
    instance: str
    depends_on: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``postgres/role/NAME``."""
        return f"postgres/role/{self.settings.role}"

    @property
    def desired(self) -> State:
        """Its attributes, and that the store's password logs in; none, if a certificate does."""
        return {**{name: wanted for name, (wanted, _) in ATTRIBUTES.items()}, "password": Secrecy.RIGHT}

    def read(self) -> State | None:
        """The same as the server has it; the password is proved by a login."""
        found = self.server.snapshot().role
        if found is None:
            return None
        state = {**{name: found[name] for name in ATTRIBUTES}, "password": self._password()}
        return {**state, OWNER: self._owner(found["comment"], state)} if self._is_managed else state

    def _owner(self, comment: str | None, state: State) -> Owner:
        mark, kept = read_mark(comment)
        earlier = comment is None and not any(differences(self.desired, state))
        return owner_of(mark, self.instance, setting="database.role", earlier=earlier, adopted=kept is not None)

    def _password(self) -> Secrecy:
        if self.settings.client_certificate:
            return Secrecy.NEEDLESS if self.server.has_password(self.settings.role) else Secrecy.RIGHT
        return Secrecy.RIGHT if self._logs_in() else Secrecy.DIFFERS

    def _logs_in(self) -> bool:
        # Without an administrator, we are logged in as the role itself.
        if self.server.account.user == self.settings.role:
            return True
        password = self.values.value("postgres", "password")
        present = self.server.snapshot().databases
        names = [name for name in (self.settings.name, self.settings.auth_name) if name in present]
        # Any database serves: the password is checked before it is looked for.
        database = names[0] if names else self.server.account.databases[0]
        return password is not None and self.login.proves(self.settings.role, password, database=database)

    def check(self, current: State | None) -> None:
        """Raise if it is not for us to write."""
        self._require_ours("does not exist" if current is None else f"differs in {', '.join(self._differing(current))}")

    def create(self) -> None:
        """Create it."""
        self.check(None)
        # Both are one transaction, so that no run leaves a role without its mark.
        statement = sql.SQL("CREATE ROLE {} LOGIN {}; {}")
        self.server.write(self.address, statement.format(self._name, self._new_password(), self._comment()))

    def update(self, current: State) -> None:
        """Bring what differs, and nothing else, to what it should be."""
        self.check(current)
        differing = self._differing(current)
        parts: list[sql.Composable] = [sql.SQL(words) for name, (_, words) in ATTRIBUTES.items() if name in differing]
        if "password" in differing:
            parts.append(self._new_password())
        self.server.write(self.address, sql.SQL("ALTER ROLE {} {}").format(self._name, sql.SQL(" ").join(parts)))

    def _differing(self, current: State) -> list[str]:
        return [difference.field for difference in differences(self.desired, current)]

    def adopt(self, current: State) -> None:
        """Comment on it with our mark, and with the attributes and the comment that it had."""
        found = self.server.snapshot().role or {}
        kept = {name: found.get(name) for name in (*ATTRIBUTES, "valid_until", "comment")}
        earlier = current[OWNER].standing is Standing.EARLIER
        self.server.write(self.address, self._comment(None if earlier else kept))

    def release(self, current: State) -> None:
        """Give it its former attributes and comment; its former password is known to no one here."""
        found = read_mark((self.server.snapshot().role or {}).get("comment"))[1] or {}
        parts: list[sql.Composable] = [
            sql.SQL(_words(name, value)) for name, value in found.items() if name in _OTHERWISE
        ]
        parts.append(sql.SQL("VALID UNTIL {}").format(sql.Literal(found.get("valid_until") or "infinity")))
        alter = sql.SQL("ALTER ROLE {} {}; COMMENT ON ROLE {} IS {}")
        text = sql.Literal(found.get("comment"))
        self.server.write(self.address, alter.format(self._name, sql.SQL(" ").join(parts), self._name, text))

    def _comment(self, kept: State | None = None) -> sql.Composed:
        return sql.SQL("COMMENT ON ROLE {} IS {}").format(self._name, sql.Literal(mark_text(self.instance, kept)))

    def delete(self) -> None:
        """Delete it; PostgreSQL refuses where it still owns something."""
        self.server.write(self.address, sql.SQL("DROP ROLE IF EXISTS {}").format(self._name))

    @property
    def _is_managed(self) -> bool:
        return self.settings.role_management == "bootstrap"

    @property
    def _name(self) -> sql.Identifier:
        return sql.Identifier(self.settings.role)

    def _new_password(self) -> sql.Composable:
        if self.settings.client_certificate:
            return sql.SQL("PASSWORD NULL")
        password = required(self.values, "postgres", "password")
        return sql.SQL("PASSWORD {}").format(self.server.verifier(self.settings.role, password))

    def _require_ours(self, state: str) -> None:
        if not self._is_managed:
            raise MissingError(f"role {self.settings.role} {state}", remedy=creator_of_role(self.settings))
