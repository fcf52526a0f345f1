"""The secret values of an environment, as the resources see them: made by the store's step, never by a resource."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import SecretStr

from mlflow_bootstrap.errors import MissingError


class SecretValues(Protocol):
    """Entries and fields as in the secret store: ``value("oidc", "client_secret")``."""

    def value(self, entry: str, field: str) -> SecretStr | None:
        """The value, or nothing while a plan runs before the store's first apply."""


def required(values: SecretValues, entry: str, field: str) -> SecretStr:
    """The value that a write needs.

    Raises:
        MissingError: it is not in the store.
    """
    value = values.value(entry, field)
    if value is None:
        raise MissingError(f"{field} of {entry} is not in the secret store", remedy="run `bootstrap.py secrets` first")
    return value


class FixedValues:
    """Values that are known beforehand."""

    def __init__(self, values: Mapping[str, Mapping[str, str]]) -> None:
        self._values = values

    def value(self, entry: str, field: str) -> SecretStr | None:
        """The value, or nothing."""
        found = self._values.get(entry, {}).get(field)
        return None if found is None else SecretStr(found)
