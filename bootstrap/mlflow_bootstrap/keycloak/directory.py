"""What the directory client may do in the realm: look users and groups up, and nothing else."""

from dataclasses import dataclass
from typing import Any

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.keycloak.client import found_client
from mlflow_bootstrap.keycloak.connection import Api
from mlflow_bootstrap.retry import retry_on_conflict

ROLES = ("query-groups", "query-users", "view-users")
"""Roles of the realm's own client for administration (Server Administration Guide, "Per realm roles")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryRights:
    """The roles that the service account of ``client_id`` has of the realm's administration, owned whole."""

    api: Api
    client_id: str
    depends_on: tuple[str, ...]

    @property
    def address(self) -> str:
        """``keycloak/rights/CLIENT``."""
        return f"keycloak/rights/{self.client_id}"

    @property
    def desired(self) -> State:
        """The names of the roles."""
        return {"roles": list(ROLES)}

    def read(self) -> State | None:
        """The names of the roles that it has; None before the client exists."""
        user = self._user()
        return None if user is None else {"roles": sorted(role["name"] for role in self._roles_of(user))}

    def create(self) -> None:
        """Keycloak creates the user with its client."""
        self.update({})

    def update(self, current: State) -> None:
        """Assign what is missing, and take the others away."""
        retry_on_conflict(self._write)

    def _write(self) -> None:
        user = self._user()
        if user is None:
            raise MissingError(f"client {self.client_id} has no service account", remedy="run `bootstrap.py keycloak`")
        roles, management = self._roles_of(user), self._management()
        missing = set(ROLES) - {role["name"] for role in roles}
        surplus = [role for role in roles if role["name"] not in ROLES]
        admin = self.api.admin
        if missing:
            wanted = [self.api.call(self._what, admin.get_client_role, management, name) for name in sorted(missing)]
            self.api.call(self._what, admin.assign_client_role, user, management, wanted)
        # Owned whole: a further role would let whoever has the CronJob's Secret do more than look.
        if surplus:
            self.api.call(self._what, admin.delete_client_roles_of_user, user, management, surplus)

    def _user(self) -> str | None:
        address = f"keycloak/client/{self.client_id}"
        if address not in self.api.ids and found_client(self.api, self.client_id) is None:
            return None
        found = self.api.find(self._what, self.api.admin.get_client_service_account_user, self.api.ids[address])
        return found["id"] if found else None

    def _roles_of(self, user: str) -> list[dict[str, Any]]:
        # All mappings at once: by name of the client, so that a check need not ask for its id.
        mappings = self.api.call(self._what, self.api.get, f"users/{user}/role-mappings")
        found = (mappings.get("clientMappings") or {}).get(self._management_name) or {}
        return list(found.get("mappings") or [])

    def _management(self) -> str:
        client = found_client(self.api, self._management_name)
        if client is None:
            raise MissingError(
                f"the login may not see client {self._management_name}", remedy="it needs view-clients of the realm"
            )
        return str(client["id"])

    @property
    def _management_name(self) -> str:
        # The realm master keeps the rights on each realm in a client called after that (Server Administration Guide).
        return "master-realm" if self.api.realm == "master" else "realm-management"

    @property
    def _what(self) -> str:
        return f"the rights of {self.client_id}"
