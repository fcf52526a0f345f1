"""A confidential client: who may log in with it by which flow, and which client scopes it always has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keycloak import KeycloakAdmin
from pydantic import SecretStr

from mlflow_bootstrap.difference import State, differences
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.keycloak.api import MADE_BY, Api, merged
from mlflow_bootstrap.keycloak.audience import audience_mapper, new_audience, owned_audience, set_audience
from mlflow_bootstrap.keycloak.client_scope import scope_id
from mlflow_bootstrap.store.entry import AGAINST_OTHERS
from mlflow_bootstrap.values import SecretValues, required


def found_client(api: Api, client_id: str) -> dict[str, Any] | None:
    """The client with everything that Keycloak tells of it, or nothing."""
    clients = api.find(f"client {client_id}", api.get, "clients", clientId=client_id) or []
    found: dict[str, Any] | None = next((one for one in clients if one["clientId"] == client_id), None)
    if found:
        api.ids[f"keycloak/client/{client_id}"] = found["id"]
    return found


def secret_of(client: Mapping[str, Any] | None) -> SecretStr | None:
    """The client's secret, where the login may see it."""
    return SecretStr(client["secret"]) if client and client.get("secret") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A confidential client; ``entry`` of the store has its secret.

    ``fields`` and ``attributes`` are owned whole, other fields, attributes, mappers, roles and scopes left as found.
    """

    api: Api
    client_id: str
    fields: Mapping[str, Any]
    attributes: Mapping[str, str]
    """Value of each owned attribute; an empty one is absent."""
    scopes: tuple[str, ...]
    """Client scopes that every token gets."""
    values: SecretValues = field(repr=False)
    entry: str
    needs: tuple[str, ...]
    audience: str | None = None
    """Client that every access token is for, by a mapper of ours; None without one."""

    @property
    def address(self) -> str:
        """``keycloak/client/ID``."""
        return f"keycloak/client/{self.client_id}"

    @property
    def desired(self) -> State:
        """All of it, the secret once the store has one."""
        secret = self.values.value(self.entry, "client_secret")
        return {
            **self.fields,
            "attributes": dict(self.attributes),
            "scopes": dict.fromkeys(self.scopes, "default"),
            **({"audience": audience_mapper(self.audience)} if self.audience else {}),
            **({"secret": secret} if secret else {}),
        }

    def read(self) -> State | None:
        """The same of what is there."""
        found = found_client(self.api, self.client_id)
        return None if found is None else self._state(found)

    def _state(self, found: Mapping[str, Any]) -> State:
        attributes = found.get("attributes") or {}
        secret = secret_of(found)
        return {
            **{name: _comparable(found.get(name)) for name in self.fields},
            "attributes": {name: _without_default(attributes.get(name)) for name in self.attributes},
            "scopes": {name: _placement(found, name) for name in self.scopes},
            **({"audience": owned_audience(found)} if self.audience else {}),
            **({"secret": secret} if secret else {}),
        }

    def create(self) -> None:
        """Make it, or mend what another run has just made; then assign the scopes."""
        if self.api.make(self._what, self.api.admin.create_client, self._body()):
            AGAINST_OTHERS(lambda: self._assign_scopes(self._found()))
        else:
            self.update({})

    def update(self, current: State) -> None:
        """Put our fields over what is there now, and assign the scopes."""
        AGAINST_OTHERS(self._mend)

    def _mend(self) -> None:
        found = self._found()
        if any(differences({**self.desired, "scopes": {}, "audience": {}}, self._state(found))):
            self.api.call(self._what, self.api.admin.update_client, found["id"], merged(found, self._ours()))
        self._assign_scopes(found)
        if self.audience:
            set_audience(self.api, found, self.audience)

    def _ours(self) -> dict[str, Any]:
        secret = required(self.values, self.entry, "client_secret").get_secret_value()
        return {**self.fields, "attributes": dict(self.attributes), "secret": secret}

    def _body(self) -> dict[str, Any]:
        ours = merged({"clientId": self.client_id, "attributes": {MADE_BY[0]: MADE_BY[1]}}, self._ours())
        return ours | ({"protocolMappers": [new_audience(self.audience)]} if self.audience else {})

    def _found(self) -> dict[str, Any]:
        found = found_client(self.api, self.client_id)
        if found is None:
            raise MissingError(f"{self._what} is gone again", remedy="run it again")
        return found

    def _assign_scopes(self, found: Mapping[str, Any]) -> None:
        for name in self.scopes:
            placement = _placement(found, name)
            if placement != "default":
                self._assign(found["id"], scope_id(self.api, name), optional=placement == "optional")

    def _assign(self, client: str, scope: str, *, optional: bool) -> None:
        admin: KeycloakAdmin = self.api.admin
        if optional:
            # Keycloak takes a scope that is optional already for assigned, and leaves it optional.
            self.api.find(self._what, admin.delete_client_optional_client_scope, client, scope)
        self.api.call(self._what, admin.add_client_default_client_scope, client, scope, {})

    @property
    def _what(self) -> str:
        return f"client {self.client_id}"


def _comparable(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _without_default(value: str | None) -> str:
    return "" if value in (None, "false") else value


def _placement(client: Mapping[str, Any], scope: str) -> str:
    if scope in (client.get("defaultClientScopes") or []):
        return "default"
    return "optional" if scope in (client.get("optionalClientScopes") or []) else "none"
