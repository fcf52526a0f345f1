"""What ``destroy`` takes away from the realm: what the bootstrap has made, and nobody else uses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.keycloak.api import MADE_BY, Api
from mlflow_bootstrap.keycloak.client import found_client
from mlflow_bootstrap.keycloak.client_scope import found_scope
from mlflow_bootstrap.keycloak.group import found_group

Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A thing of ours in the realm; one that others made, or use, counts as not there."""

    address: str
    find: Callable[[], Found | None]
    take_away: Callable[[str], object]
    needs: tuple[str, ...] = ()

    @property
    def desired(self) -> State:
        """Nothing is compared."""
        return {}

    def read(self) -> State | None:
        """Whether there is something to take away."""
        found = self.find()
        return {} if found is not None and _made_by_us(found) else None

    def create(self) -> None:
        """Nothing is made here."""

    def update(self, current: State) -> None:
        """Nothing is changed here."""

    def delete(self) -> None:
        """Take it away."""
        found = self.find()
        if found is not None:
            self.take_away(found["id"])


def client_removal(api: Api, client_id: str) -> Removal:
    """A client; its service account goes with it."""
    return _removal(api, "client", client_id, lambda: found_client(api, client_id), api.admin.delete_client)


def group_removal(api: Api, name: str) -> Removal:
    """A group; its members stay."""
    return _removal(api, "group", name, lambda: found_group(api, name), api.admin.delete_group)


def scope_removal(api: Api, name: str, clients: frozenset[str]) -> Removal:
    """A client scope, unless clients other than ours have come to use it."""

    def find() -> Found | None:
        return None if _users_of(api, name) - clients else found_scope(api, name)

    return _removal(api, "client-scope", name, find, api.admin.delete_client_scope)


def _removal(
    api: Api, kind: str, name: str, find: Callable[[], Found | None], take_away: Callable[[str], object]
) -> Removal:
    what = f"{kind} {name}"
    return Removal(address=f"keycloak/{kind}/{name}", find=find, take_away=lambda key: api.find(what, take_away, key))


def _users_of(api: Api, scope: str) -> frozenset[str]:
    clients = api.find("the clients", api.admin.get_clients) or []
    placements = ("defaultClientScopes", "optionalClientScopes")
    return frozenset(one["clientId"] for one in clients if any(scope in (one.get(name) or []) for name in placements))


def _made_by_us(found: Found) -> bool:
    value = (found.get("attributes") or {}).get(MADE_BY[0])
    return value in (MADE_BY[1], [MADE_BY[1]])
