"""What the command line asks of the modules ``keycloak``, ``postgres`` and ``minio`` beside this one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import SecretStr

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import NOTHING, Removable, Resource
from mlflow_bootstrap.ownership import Adoption
from mlflow_bootstrap.values import SecretValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a system's resources are made from."""

    settings: Settings
    credentials: Credentials
    """Administrators' logins, read when they are needed."""
    values: SecretValues
    adoption: Adoption = NOTHING
    """What the operator has named to be taken over."""
    create_realm: bool = False
    probe: bool = False
    """Whether a check may leave a trace for a moment, such as an object that is put and deleted."""


class System(Protocol):
    """A module for one system. Its functions log in, and raise UnreachableError, RefusedError or UsageError there."""

    def resources(self, context: Context) -> Sequence[Resource]:
        """What this environment has in the system, what others need first; reads no more than the login takes."""

    def removable(self, context: Context, *, data: frozenset[str]) -> Sequence[Removable]:
        """What ``destroy`` may delete, in the order of creation; databases and buckets only if ``data`` names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the realm and those of our groups that it is in."""

    name: str
    email: str | None
    enabled: bool
    groups: tuple[str, ...]


class Keycloak(System, Protocol):
    """The module ``mlflow_bootstrap.keycloak``."""

    def existing_client_secret(self, context: Context, *, client_id: str) -> SecretStr | None:
        """The secret that the client has already, or nothing where realm or client is not there."""

    def add_user_to_group(self, context: Context, *, user: str, group: str) -> bool:
        """Put the user (by name or e-mail) into one of our groups; false where it was in it.

        Raises:
            MissingError: no such user.
        """

    def remove_user_from_group(self, context: Context, *, user: str, group: str) -> bool:
        """Take the user out of one of our groups; false where it was not in it.

        Raises:
            MissingError: no such user.
        """

    def list_users(self, context: Context) -> Sequence[User]:
        """Members of our groups, by name."""

    def namesakes(self, context: Context) -> Sequence[str]:
        """Paths of other groups of the realm that bear the name of one of ours."""

    def export(self, settings: Settings) -> Mapping[str, Any]:
        """The realm's fragment for Keycloak's partial import, without a secret; asks no server."""
