"""The secret values of an environment, as the resources see them: created by the store's step, never by a resource."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import SecretStr

from mlflow_bootstrap.errors import BootstrapError, MissingError


class SecretValues(Protocol):
    """Entries and fields as in the secret store: ``value("oidc", "client_secret")``."""

    def value(self, entry: str, field: str) -> SecretStr | None:
        """The value; None while a plan runs before the store's first apply, and if others own the entry."""

    def refused(self, entry: str) -> BootstrapError | None:
        """Why no value of the entry may be used, if others own it."""


def required(values: SecretValues, entry: str, field: str) -> SecretStr:
    """The value that a write needs.

    Raises:
        MissingError: it is not in the store.
        OwnershipError: others own the entry.
    """
    value = values.value(entry, field)
    if value is None:
        # "Belongs to others" is the reason that helps; that the value is missing follows from it.
        error = values.refused(entry)
        if error is not None:
            raise error
        raise MissingError(f"{field} of {entry} is not in the secret store", remedy="run `bootstrap.py secrets` first")
    return value


class FixedValues:
    """Values that are known beforehand."""

    def __init__(self, values: Mapping[str, Mapping[str, str]]) -> None:
        self._values = values

    def refused(self, entry: str) -> None:
        """Every value may be used."""

    def value(self, entry: str, field: str) -> SecretStr | None:
        """The value, or None."""
        found = self._values.get(entry, {}).get(field)
        return None if found is None else SecretStr(found)
