"""The role that owns both databases: it logs in and may nothing else."""

from dataclasses import dataclass
from types import MappingProxyType

from psycopg import sql

from cdk8s_mlflow.settings.database import DatabaseSettings
from mlflow_bootstrap.difference import Secrecy, State, differences
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.postgres.login import Login
from mlflow_bootstrap.postgres.makers import maker_of_role
from mlflow_bootstrap.postgres.server import Server
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The role with all its attributes and the password of the store; memberships and grants stay as found."""

    server: Server
    settings: DatabaseSettings
    values: SecretValues
    login: Login
    needs: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``postgres/role/NAME``."""
        return f"postgres/role/{self.settings.role}"

    @property
    def desired(self) -> State:
        """Its attributes, and that the store's password logs in."""
        return {**{name: wanted for name, (wanted, _) in ATTRIBUTES.items()}, "password": Secrecy.RIGHT}

    def read(self) -> State | None:
        """The same as the server has it; the password is proved by a login."""
        found = self.server.snapshot().role
        if found is None:
            return None
        password = Secrecy.RIGHT if self._logs_in() else Secrecy.DIFFERS
        return {**{name: found[name] for name in ATTRIBUTES}, "password": password}

    def _logs_in(self) -> bool:
        # Without an administrator, we are logged in as the role itself.
        if self.server.account.user == self.settings.role:
            return True
        password = self.values.value("postgres", "password")
        present = self.server.snapshot().databases
        names = [name for name in (self.settings.name, self.settings.auth_name) if name in present]
        database = names[0] if names else self.server.account.databases[0]
        return password is not None and self.login.proves(self.settings.role, password, database=database)

    def check(self, current: State | None) -> None:
        """Raise if it is not for us to write."""
        self._require_ours("does not exist" if current is None else f"differs in {', '.join(self._differing(current))}")

    def create(self) -> None:
        """Create it."""
        self.check(None)
        statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        self.server.write(self.address, statement.format(self._name, self._verifier()))

    def update(self, current: State) -> None:
        """Bring what differs, and nothing else, to what it should be."""
        self.check(current)
        differing = self._differing(current)
        parts: list[sql.Composable] = [sql.SQL(words) for name, (_, words) in ATTRIBUTES.items() if name in differing]
        if "password" in differing:
            parts.append(sql.SQL("PASSWORD {}").format(self._verifier()))
        self.server.write(self.address, sql.SQL("ALTER ROLE {} {}").format(self._name, sql.SQL(" ").join(parts)))

    def _differing(self, current: State) -> list[str]:
        return [difference.field for difference in differences(self.desired, current)]

    def delete(self) -> None:
        """Delete it; PostgreSQL refuses where it still owns something."""
        self.server.write(self.address, sql.SQL("DROP ROLE IF EXISTS {}").format(self._name))

    @property
    def _name(self) -> sql.Identifier:
        return sql.Identifier(self.settings.role)

    def _verifier(self) -> sql.Literal:
        return self.server.verifier(self.settings.role, required(self.values, "postgres", "password"))

    def _require_ours(self, state: str) -> None:
        if self.settings.role_management != "bootstrap":
            raise MissingError(f"role {self.settings.role} {state}", remedy=maker_of_role(self.settings))
