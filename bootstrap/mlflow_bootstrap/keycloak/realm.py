"""The realm: found, or created on request, never deleted; only what other modules name in it is ours."""

from dataclasses import dataclass

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.keycloak.connection import Api


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """A realm; ``may_create`` allows to create it if it is missing."""

    api: Api
    may_create: bool
    depends_on: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``keycloak/realm/NAME``."""
        return f"keycloak/realm/{self.api.realm}"

    @property
    def desired(self) -> State:
        """Nothing but being there."""
        return {}

    def read(self) -> State | None:
        """Whether it exists.

        Raises:
            MissingError: it is not, and may not be created.
        """
        if self.api.find(self._what, self.api.admin.get_realm, self.api.realm) is not None:
            return {}
        if self.may_create:
            return None
        raise MissingError(
            f"realm {self.api.realm} is not there",
            remedy="check KEYCLOAK_REALM, or have it created with --create-realm (by a login of master)",
        )

    def create(self) -> None:
        """Create it, enabled, with Keycloak's defaults."""
        body = {"realm": self.api.realm, "enabled": True}
        # False means that another run is creating it at this moment.
        if not self.api.create(self._what, self.api.admin.create_realm, body):
            self.api.wait_for(self._what, self.api.admin.get_realm, self.api.realm)
        # The rights on a new realm come with the next token.
        self.api.call("the login", self.api.admin.connection.get_token)

    def update(self, current: State) -> None:
        """Nothing of it is ours to change."""

    @property
    def _what(self) -> str:
        return f"realm {self.api.realm}"
