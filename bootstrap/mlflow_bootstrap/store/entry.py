"""An entry of the store as a resource: missing fields are filled, present ones kept, others' fields left as found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import SecretStr
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.difference import Secrecy, State
from mlflow_bootstrap.errors import ConflictError, UnreachableError, UsageError
from mlflow_bootstrap.store.entries import EntryPlan, Field


@dataclass(frozen=True, slots=True)
class Entry:
    """What the store holds under a name; ``version`` is what a write must find unchanged."""

    values: Mapping[str, str] = field(repr=False)
    version: Any


class Store(Protocol):
    """A secret store. Its methods raise UnreachableError, RefusedError or MissingError."""

    @property
    def kind(self) -> str:
        """What addresses call it."""

    def read(self, name: str) -> Entry | None:
        """The entry, or nothing where there is none."""

    def write(self, name: str, values: Mapping[str, str], *, expected: Entry | None) -> None:
        """Replace the entry.

        Raises:
            ConflictError: it is not as ``expected`` any more.
        """

    def delete(self, name: str) -> None:
        """Take the entry and all its versions away; fine where it is gone."""


AGAINST_OTHERS = Retrying(
    stop=stop_after_attempt(5),
    wait=wait_random(0, 0.5),
    retry=retry_if_exception_type(ConflictError),
    reraise=True,
)
"""Another run that wrote first is read again, and its values are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry with every field that we own; a value that is there is never replaced but by ``rotate``."""

    store: Store
    plan: EntryPlan
    credentials: Credentials
    needs: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``secrets/KIND/ENTRY``."""
        return f"secrets/{self.store.kind}/{self.plan.name}"

    @property
    def desired(self) -> State:
        """Values that follow from the settings, and that there is one for each other field."""
        return {
            field.name: Secrecy.RIGHT if field.fixed is None else SecretStr(field.fixed) for field in self.plan.fields
        }

    def read(self) -> State | None:
        """The same of what the store holds."""
        entry = self.store.read(self.plan.name)
        if entry is None:
            return None
        return {field.name: _shown(field, entry.values.get(field.name, "")) for field in self.plan.fields}

    def check(self, current: State | None) -> None:
        """Raise what a write would raise for a field whose value no one has."""
        for wanted in self.plan.fields:
            if current is None or current[wanted.name] != self.desired[wanted.name]:
                wanted.check(self.credentials)

    def create(self) -> None:
        """Fill it."""
        self._write(frozenset())

    def update(self, current: State) -> None:
        """Fill what is missing."""
        self._write(frozenset())

    def delete(self) -> None:
        """Take it away."""
        self.store.delete(self.plan.name)

    def rotate(self) -> tuple[str, ...]:
        """Renew the fields that may be; gives their names.

        Raises:
            UsageError: none may.
        """
        names = frozenset(field.name for field in self.plan.fields if field.rotates and field.make)
        if not names:
            raise UsageError(f"{self.address} has nothing that can be renewed here", remedy="renew it where it is made")
        self._write(names)
        return tuple(sorted(names))

    def _write(self, renewed: frozenset[str]) -> None:
        AGAINST_OTHERS(self._write_once, renewed)

    def _write_once(self, renewed: frozenset[str]) -> None:
        entry = self.store.read(self.plan.name)
        before = dict(entry.values) if entry else {}
        values = before | {field.name: self._value(field, before, renewed) for field in self.plan.fields}
        if entry is None or values != before:
            self.store.write(self.plan.name, values, expected=entry)

    def _value(self, field: Field, before: Mapping[str, str], renewed: frozenset[str]) -> str:
        if field.name in renewed and field.make:
            return field.make()
        if field.fixed is None and before.get(field.name):
            return before[field.name]
        return field.obtain(self.credentials).get_secret_value()


def _shown(field: Field, value: str) -> object:
    if field.fixed is None:
        return Secrecy.RIGHT if value else Secrecy.MISSING
    return SecretStr(value)


class StoredValues:
    """What the store holds, each entry read once until it is written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[str, Entry | None] = {}
        self._unreachable: UnreachableError | None = None

    @property
    def kind(self) -> str:
        """What addresses call the store."""
        return self._store.kind

    def value(self, entry: str, field: str) -> SecretStr | None:
        """A value, or nothing."""
        found = self.read(entry)
        value = found.values.get(field) if found else None
        return SecretStr(value) if value else None

    def read(self, name: str) -> Entry | None:
        """The entry as it was when it was first asked for, or nothing."""
        if name not in self._read:
            self._read[name] = self._attempt(name)
        return self._read[name]

    def _attempt(self, name: str) -> Entry | None:
        # Every resource that needs a value asks; a store that is down has cost its attempts once.
        if self._unreachable:
            raise self._unreachable
        try:
            return self._store.read(name)
        except UnreachableError as error:
            self._unreachable = error
            raise

    def write(self, name: str, values: Mapping[str, str], *, expected: Entry | None) -> None:
        """Replace the entry, and forget what was read of it even where that fails."""
        self._read.pop(name, None)
        self._store.write(name, values, expected=expected)

    def delete(self, name: str) -> None:
        """Take the entry away."""
        self._read.pop(name, None)
        self._store.delete(name)
