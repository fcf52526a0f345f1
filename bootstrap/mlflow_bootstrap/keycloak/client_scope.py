"""The client scope that puts a user's groups into ID token, access token and UserInfo."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.keycloak.connection import Api, made_earlier, merged, text_attribute
from mlflow_bootstrap.ownership import FOUND, MARK, OWNER, Owner, Standing, decode_found, owner_of
from mlflow_bootstrap.retry import retry_on_conflict

MAPPER = "oidc-group-membership-mapper"


def mapper(claim: str) -> dict[str, Any]:
    """The mapper's owned fields: full paths, in both tokens and in UserInfo.

    A name without its path could be that of any group in the tree.

    Source: Keycloak's Server Administration Guide, "Protocol mappers".
    """
    everywhere = dict.fromkeys(("id.token.claim", "access.token.claim", "userinfo.token.claim"), "true")
    return {"protocolMapper": MAPPER, "config": {"claim.name": claim, "full.path": "true", **everywhere}}


def client_scope(name: str, claim: str, instance: str) -> dict[str, Any]:
    """The scope as it is created."""
    return {
        "name": name,
        "protocol": "openid-connect",
        "attributes": {"include.in.token.scope": "true", MARK: instance},
        "protocolMappers": [{"name": claim, "protocol": "openid-connect", **mapper(claim)}],
    }


def scope_id(api: Api, name: str) -> str:
    """Keycloak's id of a client scope.

    Raises:
        MissingError: there is none of that name.
    """
    address = f"keycloak/client-scope/{name}"
    if address not in api.ids and found_scope(api, name) is None:
        raise MissingError(f"client scope {name} is not there", remedy="run `bootstrap.py keycloak`")
    return api.ids[address]


def found_scope(api: Api, name: str) -> dict[str, Any] | None:
    scopes = api.find("the client scopes", api.admin.get_client_scopes) or []
    found: dict[str, Any] | None = next((scope for scope in scopes if scope["name"] == name), None)
    if found:
        api.ids[f"keycloak/client-scope/{name}"] = found["id"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientScope:
    """The scope ``name`` with our mapper; its other mappers, attributes and roles are left as found."""

    api: Api
    name: str
    claim: str
    """Claim that the scope puts into tokens; its mapper has the same name."""
    instance: str
    clients: frozenset[str]
    """Our clients, which may use it."""
    depends_on: tuple[str, ...]

    @property
    def address(self) -> str:
        """``keycloak/client-scope/NAME``."""
        return f"keycloak/client-scope/{self.name}"

    @property
    def desired(self) -> State:
        """Protocol and mapper."""
        return {"protocol": "openid-connect", "mapper": mapper(self.claim)}

    def read(self) -> State | None:
        """The same of what exists, and whose it is."""
        found = found_scope(self.api, self.name)
        return None if found is None else {**self._state(found), OWNER: self._owner(found)}

    def _state(self, found: Mapping[str, Any]) -> dict[str, Any]:
        return {"protocol": found.get("protocol"), "mapper": _owned(_mapper_of(found, self.claim))}

    def _owner(self, found: Mapping[str, Any]) -> Owner:
        return owner_of(
            text_attribute(found, MARK),
            self.instance,
            setting="authentication.groups_scope",
            earlier=made_earlier(found),
            # A scope of others that gives the same claim serves as it is, if nothing else in it fills the claim.
            usable=len(_filling(found, self.claim)) == 1,
            adopted=text_attribute(found, FOUND) is not None,
        )

    def create(self) -> None:
        """Create it with its mapper, or repair what another run has just created."""
        body = client_scope(self.name, self.claim, self.instance)
        if not self.api.create(self._what, self.api.admin.create_client_scope, body):
            found = found_scope(self.api, self.name)
            if found is not None and self._owner(found).standing is Standing.OURS:
                self.update({})

    def update(self, current: State) -> None:
        """Set protocol and mapper."""
        retry_on_conflict(self._update)

    def _update(self) -> None:
        found = found_scope(self.api, self.name)
        if found is None:
            raise MissingError(f"{self._what} is gone again", remedy="run it again")
        if found.get("protocol") != "openid-connect":
            body = {**found, "protocol": "openid-connect"}
            self.api.call(self._what, self.api.admin.update_client_scope, found["id"], body)
        self._set_mapper(found)

    def _set_mapper(self, scope: Mapping[str, Any]) -> None:
        found = _mapper_of(scope, self.claim)
        what, wanted = f"the mapper of {self._what}", mapper(self.claim)
        if not found:
            body = {"name": self.claim, "protocol": "openid-connect", **wanted}
            self.api.create(what, self.api.admin.add_mapper_to_client_scope, scope["id"], body)
        elif _owned(found) != wanted:
            body = merged(found, {"protocol": "openid-connect", **wanted})
            self.api.call(what, self.api.admin.update_mapper_in_client_scope, scope["id"], found["id"], body)

    def adopt(self, current: State) -> None:
        """Mark it, and keep beside the mark what its protocol and its mapper were like."""
        found = found_scope(self.api, self.name) or {}
        kept = {} if current[OWNER].standing is Standing.EARLIER else {FOUND: json.dumps(self._state(found))}
        self._write(found, {"attributes": {MARK: self.instance, **kept}})

    def release(self, current: State) -> None:
        """Give it the protocol and the mapper that it had, without our mark."""
        found = found_scope(self.api, self.name) or {}
        former = decode_found(text_attribute(found, FOUND)) or {}
        ours, wanted = _mapper_of(found, self.claim), former.get("mapper") or {}
        what, admin = f"the mapper of {self._what}", self.api.admin
        if ours and not wanted.get("protocolMapper"):
            self.api.find(what, admin.delete_mapper_from_client_scope, found["id"], ours["id"])
        elif ours:
            # What others added to the mapper meanwhile stays.
            config = {name: value for name, value in ours["config"].items() if name not in mapper("")["config"]}
            body = {**ours, **wanted, "config": {**config, **wanted["config"]}}
            self.api.call(what, admin.update_mapper_in_client_scope, found["id"], ours["id"], body)
        protocol = former.get("protocol") or found["protocol"]
        self._write(found, {"protocol": protocol, "attributes": {MARK: "", FOUND: ""}})

    def _write(self, found: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        # Mappers have requests of their own.
        body = {name: value for name, value in merged(found, changes).items() if name != "protocolMappers"}
        self.api.call(self._what, self.api.admin.update_client_scope, found["id"], body)

    def in_use(self) -> str | None:
        """Clients other than ours that use it."""
        clients = self.api.find("the clients", self.api.admin.get_clients) or []
        placements = ("defaultClientScopes", "optionalClientScopes")
        # A request for each client would be hundreds in a large realm; this is one.
        users = {one["clientId"] for one in clients if any(self.name in (one.get(place) or []) for place in placements)}
        others = sorted(users - self.clients)
        return f"kept, client {others[0]} uses it" if others else None

    def delete(self) -> None:
        """Delete it."""
        found = found_scope(self.api, self.name)
        if found is not None:
            self.api.find(self._what, self.api.admin.delete_client_scope, found["id"])

    @property
    def _what(self) -> str:
        return f"client scope {self.name}"


def _mapper_of(scope: Mapping[str, Any], claim: str) -> Mapping[str, Any]:
    """The mapper of ours: one that fills the claim with groups whatever its name, or else the one with its name."""
    mappers = scope.get("protocolMappers") or []
    filling = [
        one for one in mappers if one["protocolMapper"] == MAPPER and one.get("config", {}).get("claim.name") == claim
    ]
    named = [one for one in mappers if one["name"] == claim]
    return next(iter([*filling, *named]), {})


def _filling(scope: Mapping[str, Any], claim: str) -> list[Mapping[str, Any]]:
    """All mappers that fill the claim, with whatever."""
    mappers = scope.get("protocolMappers") or []
    return [one for one in mappers if (one.get("config") or {}).get("claim.name") == claim]


def _owned(found: Mapping[str, Any]) -> dict[str, Any]:
    config = found.get("config") or {}
    names = mapper("")["config"]
    kept = {name: config[name] for name in names if name in config}
    return {"protocolMapper": found.get("protocolMapper"), "config": kept}
