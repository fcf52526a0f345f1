"""What the command line asks of each system's module."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bootstrap.credentials import Credentials
from bootstrap.engine import Resource
from bootstrap.values import SecretValues
from cdk8s_mlflow.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a system's resources are made from."""

    settings: Settings
    credentials: Credentials
    """Administrators' logins, read when they are needed."""
    values: SecretValues
    create_realm: bool = False


class System(Protocol):
    """A module such as ``bootstrap.keycloak``."""

    def resources(self, context: Context) -> Sequence[Resource]:
        """What this environment has in the system, what others need first.

        Logs in, and reads as little as that takes.

        Raises:
            UnreachableError: the system does not answer.
            RefusedError: it refuses the login.
            UsageError: a login is missing.
        """
