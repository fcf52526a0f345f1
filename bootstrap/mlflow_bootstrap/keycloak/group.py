"""A group, at the realm's top or deeper in its tree."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.keycloak.api import MADE_BY, Api


def group(path: str) -> dict[str, Any]:
    """A group as it is created; ``path`` is ``users`` or ``teams/ml``."""
    return {"name": path.rpartition("/")[2], "attributes": {MADE_BY[0]: [MADE_BY[1]]}}


def found_group(api: Api, name: str) -> dict[str, Any] | None:
    """The group at the path ``name``, or None."""
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
    needs: tuple[str, ...]

    @property
    def address(self) -> str:
        """``keycloak/group/NAME``."""
        return f"keycloak/group/{self.name}"

    @property
    def desired(self) -> State:
        """Nothing but being there."""
        return {}

    def read(self) -> State | None:
        """Whether it is there."""
        return None if found_group(self.api, self.name) is None else {}

    def create(self) -> None:
        """Create it, and the groups above it that are missing."""
        self._create(self.name)

    def _create(self, path: str) -> None:
        above = path.rpartition("/")[0]
        if above and found_group(self.api, above) is None:
            self._create(above)
        parent = group_id(self.api, above) if above else None
        self.api.make(f"group {path}", self.api.admin.create_group, group(path), parent)

    def update(self, current: State) -> None:
        """Nothing of it is ours to change."""
