"""A group, at the realm's top or deeper in its tree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.keycloak.connection import GROUPS, Api, made_earlier, text_attribute
from mlflow_bootstrap.ownership import FOUND, MARK, OWNER, Owner, Standing, owner_of


def group(path: str, instance: str) -> dict[str, Any]:
    """A group as it is created; ``path`` is ``users`` or ``teams/ml``."""
    return {"name": path.rpartition("/")[2], "attributes": {MARK: [instance]}}


def found_group(api: Api, name: str) -> dict[str, Any] | None:
    """The group at the path ``name``, or None."""
    # By path, not by search: groups of the same name may stand anywhere in the tree.
    found = api.find(f"group {name}", api.admin.get_group_by_path, quote(name, safe="/"))
    if found:
        api.ids[f"keycloak/group/{name}"] = found["id"]
    return found


def group_id(api: Api, name: str) -> str:
    """Keycloak's id of a group.

    Raises:
        MissingError: there is none of that name.
    """
    address = f"keycloak/group/{name}"
    if address not in api.ids and found_group(api, name) is None:
        raise MissingError(f"group {name} is not there", remedy="run `bootstrap.py keycloak`")
    return api.ids[address]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group; its members, roles and attributes are left as found."""

    api: Api
    name: str
    instance: str
    depends_on: tuple[str, ...]
    may_have_members: bool = False
    """Whether ``destroy`` deletes it even if it has members, or other instances use it."""

    @property
    def address(self) -> str:
        """``keycloak/group/NAME``."""
        return f"keycloak/group/{self.name}"

    @property
    def desired(self) -> State:
        """Nothing but being there."""
        return {}

    def read(self) -> State | None:
        """Whether it exists, and whose it is."""
        found = found_group(self.api, self.name)
        return None if found is None else {OWNER: self._owner(found)}

    def _owner(self, found: Mapping[str, Any]) -> Owner:
        # A group is shared by naming it in the settings; nothing of it is changed.
        return owner_of(
            text_attribute(found, MARK),
            self.instance,
            setting="authentication",
            earlier=made_earlier(found),
            usable=True,
            adopted=text_attribute(found, FOUND) is not None,
        )

    def adopt(self, current: State) -> None:
        """Mark it; that it was found is all there is to keep."""
        kept = {} if current[OWNER].standing is Standing.EARLIER else {FOUND: ["{}"]}
        self._set_marks({MARK: [self.instance], **kept})

    def release(self, current: State) -> None:
        """Remove our mark."""
        self._set_marks({})

    def _set_marks(self, marks: Mapping[str, list[str]]) -> None:
        found = found_group(self.api, self.name)
        if found is None:
            return
        attributes = {
            name: value for name, value in (found.get("attributes") or {}).items() if name not in (MARK, FOUND)
        }
        # Keycloak replaces all attributes by those of the request.
        body = {**found, "attributes": {**attributes, **marks}}
        self.api.call(f"group {self.name}", self.api.admin.update_group, found["id"], body)

    def in_use(self) -> str | None:
        """Members, groups within it, or another instance of ours that names it."""
        if self.may_have_members:
            return None
        found = found_group(self.api, self.name) or {}
        admin, what = self.api.admin, f"the members of {self.name}"
        if self.api.call(what, admin.get_group_members, found["id"], {"first": 0, "max": 1}):
            return f"kept, it has members; --delete-data {self.address} deletes it"
        # Since Keycloak 23 an answer counts groups within, and lists them only if asked.
        if found.get("subGroupCount") or found.get("subGroups"):
            return f"kept, it has groups within it; --delete-data {self.address} deletes it"
        clients = self.api.find("the clients", admin.get_clients) or []
        users = [one["clientId"] for one in clients if self._is_used_by(one)]
        return f"kept, client {users[0]} uses it" if users else None

    def _is_used_by(self, client: Mapping[str, Any]) -> bool:
        mark, groups = text_attribute(client, MARK), text_attribute(client, GROUPS)
        if mark is None:
            # Earlier releases did not note the groups of a client.
            return made_earlier(client)
        return mark != self.instance and self.name in (groups or "").split(",")

    def delete(self) -> None:
        """Delete it; its members stay."""
        found = found_group(self.api, self.name)
        if found is not None:
            self.api.find(f"group {self.name}", self.api.admin.delete_group, found["id"])

    def create(self) -> None:
        """Create it, and the groups above it that are missing."""
        self._create(self.name)

    def _create(self, path: str) -> None:
        above = path.rpartition("/")[0]
        if above and found_group(self.api, above) is None:
            self._create(above)
        parent = group_id(self.api, above) if above else None
        self.api.create(f"group {path}", self.api.admin.create_group, group(path, self.instance), parent)

    def update(self, current: State) -> None:
        """Nothing of it is ours to change."""
