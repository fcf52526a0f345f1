"""An entry of the store as a resource: missing fields are filled, present ones kept, others' fields left as found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import SecretStr

from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.difference import Secrecy, State, differences
from mlflow_bootstrap.errors import BootstrapError, UnreachableError
from mlflow_bootstrap.ownership import FOUND, MARK, OWNER, Owner, Standing, owner_of
from mlflow_bootstrap.retry import retry_on_conflict
from mlflow_bootstrap.store.entries import NOT_GIVEN, EntryPlan, Field


@dataclass(frozen=True, slots=True)
class Entry:
    """What the store holds under a name; ``version`` is what a write must find unchanged."""

    values: Mapping[str, str] = field(repr=False)
    version: Any
    marks: Mapping[str, str] | None = field(default_factory=dict)
    """What is kept beside the values, such as our mark; None for a store that keeps nothing but what a run writes."""
    stored: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The values as the store has them, if it keeps numbers, lists or objects as well as text."""


class Store(Protocol):
    """A secret store. Its methods raise UnreachableError, RefusedError or MissingError."""

    @property
    def kind(self) -> str:
        """What addresses call it."""

    def read(self, name: str) -> Entry | None:
        """The entry; None if it does not exist."""

    def write(self, name: str, values: Mapping[str, str], *, expected: Entry | None) -> None:
        """Replace the entry.

        Raises:
            ConflictError: it is not as ``expected`` any more.
        """

    def mark(self, name: str, marks: Mapping[str, str]) -> None:
        """Keep ``marks``, and nothing else, beside the values; the entry need not exist yet."""

    def restore(self, name: str, version: str) -> None:
        """Make an earlier version the newest; fine if it is gone."""

    def delete(self, name: str) -> None:
        """Delete the entry and all its versions; fine if it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry with every field that we own; an existing value is replaced only by ``rotate``."""

    store: Store
    plan: EntryPlan
    credentials: Credentials
    instance: str
    depends_on: tuple[str, ...] = ()

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
        """The same of what the store holds, and whose it is."""
        entry = self.store.read(self.plan.name)
        if entry is None:
            return None
        owner = self.owner(entry)
        state = {field.name: _shown(field, entry.values.get(field.name, "")) for field in self.plan.fields}
        return state if owner is None else {**state, OWNER: owner}

    def owner(self, entry: Entry) -> Owner | None:
        """Whose the entry is; None in a store without marks."""
        if entry.marks is None:
            return None
        state = {field.name: _shown(field, entry.values.get(field.name, "")) for field in self.plan.fields}
        # An entry with further fields is another team's, however well ours are in it.
        same_fields = set(entry.values) == {field.name for field in self.plan.fields}
        earlier = same_fields and not any(differences(self.desired, state))
        return owner_of(
            entry.marks.get(MARK),
            self.instance,
            setting="secrets.vault_prefix",
            earlier=earlier,
            adopted=FOUND in entry.marks,
        )

    def check(self, current: State | None) -> None:
        """Raise what a write would raise for a field whose value no one has."""
        for wanted in self.plan.fields:
            if current is None or current[wanted.name] != self.desired[wanted.name]:
                wanted.check(self.credentials)

    def create(self) -> None:
        """Fill it."""
        self._write(frozenset(), {})

    def update(self, current: State) -> None:
        """Fill what is missing."""
        self._write(frozenset(), {})

    def adopt(self, current: State) -> None:
        """Mark it, and note the version that was found; others' metadata stays."""
        entry = self.store.read(self.plan.name)
        if entry is not None:
            kept = {} if current[OWNER].standing is Standing.EARLIER else {FOUND: f"version {entry.version}"}
            self.store.mark(self.plan.name, {**(entry.marks or {}), MARK: self.instance, **kept})

    def release(self, current: State) -> None:
        """Make the version that was found the newest again, without our mark."""
        entry = self.store.read(self.plan.name)
        if entry is not None and entry.marks is not None:
            self.store.restore(self.plan.name, entry.marks.get(FOUND, "").removeprefix("version "))
            others = {name: value for name, value in entry.marks.items() if name not in (MARK, FOUND)}
            self.store.mark(self.plan.name, others)

    def delete(self) -> None:
        """Delete it."""
        self.store.delete(self.plan.name)

    def rotate(self, given: Mapping[str, str] = NOT_GIVEN) -> tuple[str, ...]:
        """Renew the fields that may be; gives their names. Those that are ``given`` take that value.

        Raises:
            UsageError: none may.
        """
        names = self.plan.require_renewable(self.address)
        # Not `update`, which keeps every value that is there.
        self._write(names, given)
        return tuple(sorted(names))

    def _write(self, renewed: frozenset[str], given: Mapping[str, str]) -> None:
        retry_on_conflict(self._write_once, renewed, given)

    def _write_once(self, renewed: frozenset[str], given: Mapping[str, str]) -> None:
        entry = self.store.read(self.plan.name)
        before = dict(entry.values) if entry else {}
        # Fields of others in the entry are kept: a KV write replaces the entry whole.
        values = before | {field.name: self._value(field, before, renewed) for field in self.plan.fields} | dict(given)
        if entry is None:
            # Before its first version, so that no run leaves an entry without its mark.
            self.store.mark(self.plan.name, {MARK: self.instance})
        # Each write is a version, and Vault keeps ten by default.
        if entry is None or values != before:
            self.store.write(self.plan.name, values, expected=entry)

    def _value(self, field: Field, before: Mapping[str, str], renewed: frozenset[str]) -> str:
        if field.name in renewed:
            return field.renew(before.get(field.name, ""))
        # A fixed value follows from the settings, so a changed one is drift, not something to keep.
        if field.fixed is None and before.get(field.name):
            return before[field.name]
        return field.obtain(self.credentials).get_secret_value()


def _shown(field: Field, value: str) -> object:
    if field.fixed is None:
        return Secrecy.RIGHT if value else Secrecy.MISSING
    return SecretStr(value)


class StoredValues:
    """What the store holds, each entry read once until it is written."""

    def __init__(self, store: Store, *, refused: Callable[[str, Entry], BootstrapError | None] | None = None) -> None:
        self._store, self._refused = store, refused
        self._read: dict[str, Entry | None] = {}
        self._unreachable: UnreachableError | None = None

    @property
    def kind(self) -> str:
        """What addresses call the store."""
        return self._store.kind

    def value(self, entry: str, field: str) -> SecretStr | None:
        """A value, or None."""
        found = self.read(entry)
        value = found.values.get(field) if found and self.refused(entry) is None else None
        return SecretStr(value) if value else None

    def refused(self, entry: str) -> BootstrapError | None:
        """Why no value of the entry may be used, if others own it."""
        found = self.read(entry)
        return self._refused(entry, found) if self._refused and found else None

    def read(self, name: str) -> Entry | None:
        """The entry as it was when it was first asked for; None if it did not exist."""
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

    def mark(self, name: str, marks: Mapping[str, str]) -> None:
        """Keep ``marks`` beside the values."""
        self._read.pop(name, None)
        self._store.mark(name, marks)

    def restore(self, name: str, version: str) -> None:
        """Make an earlier version the newest."""
        self._read.pop(name, None)
        self._store.restore(name, version)

    def delete(self, name: str) -> None:
        """Delete the entry."""
        self._read.pop(name, None)
        self._store.delete(name)
