"""A confidential client: who may log in with it by which flow, and which client scopes it always has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keycloak import KeycloakAdmin
from pydantic import SecretStr

from mlflow_bootstrap.difference import State, differences
from mlflow_bootstrap.errors import MissingError, OwnershipError
from mlflow_bootstrap.keycloak.audience import (
    audience_mapper,
    new_audience,
    owned_audience,
    remove_audience,
    set_audience,
)
from mlflow_bootstrap.keycloak.client_scope import scope_id
from mlflow_bootstrap.keycloak.connection import GROUPS, Api, made_earlier, merged, text_attribute
from mlflow_bootstrap.ownership import FOUND, MARK, OWNER, Adoption, Owner, Standing, decode_found, owner_of
from mlflow_bootstrap.retry import retry_on_conflict
from mlflow_bootstrap.values import SecretValues, required

FORMER_MARK = "cdk8s-mlflow.former-instance"
"""Beside the mark of a client that was adopted from another instance."""


def found_client(api: Api, client_id: str) -> dict[str, Any] | None:
    """The client with everything that Keycloak tells of it; None if it does not exist."""
    clients = api.find(f"client {client_id}", api.get, "clients", clientId=client_id) or []
    # Compared again: the answer decides which client is written.
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
    instance: str
    setting: str
    """The setting that names it."""
    depends_on: tuple[str, ...]
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
        """The same of what exists, and whose it is."""
        found = found_client(self.api, self.client_id)
        return None if found is None else {**self._state(found), OWNER: self._owner(found)}

    def _owner(self, found: Mapping[str, Any]) -> Owner:
        mark = text_attribute(found, MARK)
        return owner_of(
            mark,
            self.instance,
            setting=self.setting,
            earlier=mark is None and self._is_of_earlier_release(found),
            adopted=text_attribute(found, FOUND) is not None,
        )

    def _is_of_earlier_release(self, found: Mapping[str, Any]) -> bool:
        state, wanted = self._state(found), self.desired
        # Before the first apply the store has no secret that could be compared.
        same_secret = "secret" not in wanted or state.get("secret") == wanted["secret"]
        addresses = self.fields["redirectUris"]
        if made_earlier(found):
            # One client of another environment differs in its addresses, and a machines' client in its secret.
            return bool(state["redirectUris"] == addresses) and (bool(addresses) or same_secret)
        attributes = {name: value for name, value in self.attributes.items() if name != GROUPS}
        new = {"attributes": attributes, "audience": {}}
        return not any(differences({**wanted, **new}, {**state, "audience": {}}))

    def existing_secret(self, adoption: Adoption) -> SecretStr | None:
        """The secret that the client has, for a store that lacks it; None if there is no client.

        Raises:
            OwnershipError: the client is of others, whose secret is not ours to use.
        """
        found = found_client(self.api, self.client_id)
        owner = self._owner(found) if found else None
        if owner is None or owner.standing is Standing.OURS or adoption.covers(self.address, owner):
            return secret_of(found)
        flag = "--adopt-earlier" if owner.standing is Standing.EARLIER else f"--adopt {self.address}"
        raise OwnershipError(
            f"needs the secret of {self.address}, which belongs to {owner.name}",
            remedy=f"take it over with {flag}, or name another in {owner.setting}",
            flag=flag,
        )

    def check(self, current: State | None) -> None:
        """Refuse to create a second client for addresses that another instance of ours serves already.

        Raises:
            OwnershipError: it would be orphaned.
        """
        wanted = self.fields["redirectUris"]
        # A client without addresses, as the machines' is, serves none.
        if current is not None or not wanted:
            return
        for other in self.api.find("the clients", self.api.admin.get_clients) or []:
            mark = text_attribute(other, MARK)
            if mark not in (None, self.instance) and set(other.get("redirectUris") or ()) & set(wanted):
                raise OwnershipError(
                    f"would serve {wanted[0]}, as keycloak/client/{other['clientId']} of instance {mark} does",
                    remedy=f"set instance to {mark}: a renamed one orphans its clients, groups, role, databases, "
                    f"bucket and store entries; or destroy {mark} first",
                )

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
        """Create it, or repair what another run has just created; then assign the scopes."""
        self.check(None)
        if self.api.create(self._what, self.api.admin.create_client, self._body()):
            retry_on_conflict(lambda: self._assign_scopes(self._found()))
        elif self._owner(self._found()).standing is Standing.OURS:
            self.update({})

    def update(self, current: State) -> None:
        """Write our fields over the present ones, and assign the scopes."""
        retry_on_conflict(self._update)

    def _update(self) -> None:
        found = self._found()
        # Keycloak writes the whole client at each request, so one that has only its scopes to change is not sent.
        if any(differences({**self.desired, "scopes": {}, "audience": {}}, self._state(found))):
            self.api.call(self._what, self.api.admin.update_client, found["id"], merged(found, self._ours()))
        self._assign_scopes(found)
        if self.audience:
            set_audience(self.api, found, self.audience)

    def _ours(self) -> dict[str, Any]:
        secret = required(self.values, self.entry, "client_secret").get_secret_value()
        return {**self.fields, "attributes": dict(self.attributes), "secret": secret}

    def _body(self) -> dict[str, Any]:
        ours = merged({"clientId": self.client_id, "attributes": {MARK: self.instance}}, self._ours())
        return ours | ({"protocolMappers": [new_audience(self.audience)]} if self.audience else {})

    def adopt(self, current: State) -> None:
        """Mark it, and keep beside the mark what it was like, its secret excepted."""
        found = self._found()
        state = {name: value for name, value in self._state(found).items() if name != "secret"}
        # What an earlier release created needs no way back: it was ours before.
        kept = {} if current[OWNER].standing is Standing.EARLIER else {FOUND: json.dumps(state)}
        former = {} if not kept else {FORMER_MARK: text_attribute(found, MARK) or ""}
        self._write(found, {"attributes": {MARK: self.instance, **kept, **former}})

    def release(self, current: State) -> None:
        """Give it the fields, attributes and client scopes that it had, without our mark; its secret stays."""
        found = self._found()
        former = dict(decode_found(text_attribute(found, FOUND)) or {})
        attributes = former.pop("attributes", {})
        scopes, audience = former.pop("scopes", {}), former.pop("audience", None)
        marks = {MARK: text_attribute(found, FORMER_MARK) or "", FOUND: "", FORMER_MARK: "", GROUPS: ""}
        self._write(found, {**former, "attributes": {**attributes, **marks}})
        for name, placement in scopes.items():
            self._place(found["id"], name, placement)
        if audience == {}:
            remove_audience(self.api, found)

    def _place(self, client: str, scope: str, placement: str) -> None:
        admin, key = self.api.admin, scope_id(self.api, scope)
        if placement != "default":
            self.api.find(self._what, admin.delete_client_default_client_scope, client, key)
        if placement == "optional":
            self.api.call(self._what, admin.add_client_optional_client_scope, client, key, {})

    def delete(self) -> None:
        """Delete it, and its service account with it."""
        found = found_client(self.api, self.client_id)
        if found is not None:
            self.api.find(self._what, self.api.admin.delete_client, found["id"])

    def _write(self, found: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        self.api.call(self._what, self.api.admin.update_client, found["id"], merged(found, changes))

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
    # Keycloak keeps addresses as a set, and answers in any order.
    return sorted(value) if isinstance(value, list) else value


def _without_default(value: str | None) -> str:
    # A switch that was saved in the console is "false", one that never was is absent; both are off.
    return "" if value in (None, "false") else value


def _placement(client: Mapping[str, Any], scope: str) -> str:
    if scope in (client.get("defaultClientScopes") or []):
        return "default"
    return "optional" if scope in (client.get("optionalClientScopes") or []) else "none"
