"""The user behind the machines' client: named, with an e-mail, and in the users' group, as the plugin asks of all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keycloak.exceptions import KeycloakGetError

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.keycloak.client import found_client
from mlflow_bootstrap.keycloak.connection import Api, merged
from mlflow_bootstrap.keycloak.group import group_id
from mlflow_bootstrap.retry import retry_on_conflict


def service_account(client_id: str, host: str) -> dict[str, Any]:
    """What the user gets if it has none: the plugin takes e-mail and name from the token's claims."""
    return {
        "email": f"{client_id}@{host}",
        "emailVerified": True,
        "firstName": client_id,
        "lastName": "service account",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """The user of the client ``client_id``; an existing e-mail and name, and other groups, stay."""

    api: Api
    client_id: str
    host: str
    group: str
    depends_on: tuple[str, ...]

    @property
    def address(self) -> str:
        """``keycloak/service-account/CLIENT``."""
        return f"keycloak/service-account/{self.client_id}"

    @property
    def desired(self) -> State:
        """That it has what a login needs."""
        return {"email": True, "emailVerified": True, "name": True, "groups": {self.group: True}}

    def read(self) -> State | None:
        """The same fields of the existing user."""
        user = self._found()
        if user is None:
            return None
        return {
            "email": bool(user.get("email")),
            "emailVerified": user.get("emailVerified") is True,
            "name": bool(user.get("firstName") or user.get("lastName")),
            "groups": {self.group: self.group in self._groups(user)},
        }

    def create(self) -> None:
        """Keycloak creates it with its client."""
        self.update({})

    def update(self, current: State) -> None:
        """Fill what is missing, and put it into the group."""
        retry_on_conflict(self._update)

    def _update(self) -> None:
        user = self._found()
        if user is None:
            raise MissingError(f"client {self.client_id} has no service account", remedy="run `bootstrap.py keycloak`")
        missing = self._missing(user)
        if missing:
            self.api.call(self._what, self.api.admin.update_user, user["id"], merged(user, missing))
        if self.group not in self._groups(user):
            self.api.call(self._what, self.api.admin.group_user_add, user["id"], group_id(self.api, self.group))

    def _missing(self, user: Mapping[str, Any]) -> dict[str, Any]:
        named = bool(user.get("firstName") or user.get("lastName"))
        wanted = service_account(self.client_id, self.host)
        # One of both suffices as a name, and the other may be empty on purpose.
        kept = ("firstName", "lastName") if named else ()
        return {name: value for name, value in wanted.items() if not user.get(name) and name not in kept}

    def _found(self) -> dict[str, Any] | None:
        address = f"keycloak/client/{self.client_id}"
        if address not in self.api.ids and found_client(self.api, self.client_id) is None:
            return None
        return self.api.find(self._what, self._user, self.api.ids[address])

    def _user(self, client: str) -> dict[str, Any] | None:
        try:
            return self.api.admin.get_client_service_account_user(client)
        except KeycloakGetError as error:
            # The client's service account is switched off, which is the client's drift.
            if error.response_code == 400:
                return None
            raise

    def _groups(self, user: Mapping[str, Any]) -> list[str]:
        groups = self.api.call(self._what, self.api.admin.get_user_groups, user["id"])
        return [group["path"].removeprefix("/") for group in groups]

    @property
    def _what(self) -> str:
        return f"the service account of {self.client_id}"
