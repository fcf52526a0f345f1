"""Proves that a member's groups arrive, by the UserInfo that Keycloak would answer with."""

from dataclasses import dataclass
from typing import Any

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import DriftError
from mlflow_bootstrap.keycloak.client import found_client
from mlflow_bootstrap.keycloak.connection import Api
from mlflow_bootstrap.keycloak.group import found_group


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsClaim:
    """The claim ``name`` of a member of one of ``groups``; without members it cannot be proved.

    Source of the request: Keycloak's Server Administration Guide, "Evaluating client scopes".
    """

    api: Api
    client_id: str
    name: str
    scope: str
    """Client scope that puts the claim into tokens."""
    groups: tuple[str, ...]
    depends_on: tuple[str, ...]

    @property
    def address(self) -> str:
        """``keycloak/claim/NAME``."""
        return f"keycloak/claim/{self.name}"

    @property
    def desired(self) -> State:
        """No group of ours whose member lacks it in the claim."""
        return {"missing": ()}

    def read(self) -> State | None:
        """The first group that a member of it lacks in the claim."""
        client = self._id(f"keycloak/client/{self.client_id}")
        if client is None:
            return None
        for group in self.groups:
            user = self._member(group)
            if user is not None:
                return {"missing": () if f"/{group}" in self.claim(client, user) else (group,)}
        # No group has a member yet, so nothing can be asked; the first `verify` after that proves it.
        return {"missing": ()}

    def claim(self, client: str, user: str) -> list[str]:
        """The claim as the user's UserInfo would have it; ``client`` and ``user`` are Keycloak's ids."""
        path = f"clients/{client}/evaluate-scopes/generate-example-userinfo"
        # The scope as the server asks for it: Keycloak gives only
        # claims of scopes that a request names or that are defaults.
        scope = f"openid profile email {self.scope}"
        found = self.api.find("the example of a UserInfo", self.api.get, path, userId=user, scope=scope) or {}
        claim = found.get(self.name)
        # A mapper of another kind may fill the claim with one text.
        return claim if isinstance(claim, list) else []

    def create(self) -> None:
        """Follows from client, scope and mapper."""

    def update(self, current: State) -> None:
        """Say what may stand in the way; client, scope and mapper are right by now.

        Raises:
            DriftError: the claim is still not what it should be.
        """
        left = self.read()
        if left is not None and left["missing"]:
            raise DriftError(
                f"a member of {left['missing'][0]} does not get the group in the claim {self.name}",
                remedy=f"look for another mapper of the claim in client {self.client_id} and its other client scopes",
            )

    def _member(self, group: str) -> str | None:
        address = self._id(f"keycloak/group/{group}")
        if address is None:
            return None
        members: list[dict[str, Any]] = self.api.call(
            f"the members of {group}", self.api.admin.get_group_members, address, {"first": 0, "max": 1}
        )
        return members[0]["id"] if members else None

    def _id(self, address: str) -> str | None:
        _, kind, name = address.split("/", 2)
        if address not in self.api.ids:
            (found_client if kind == "client" else found_group)(self.api, name)
        return self.api.ids.get(address)
