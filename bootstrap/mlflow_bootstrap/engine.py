"""Compares what is with what should be, and writes only when told."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from mlflow_bootstrap.errors import BootstrapError, DriftError

State = Mapping[str, Any]
"""The fields that we own, as plain data; a secret is a ``pydantic.SecretStr``, which compares and does not print."""


class Resource(Protocol):
    """One thing in a system, such as a bucket or a client; it reads apart from writing.

    Every method may raise a :class:`~mlflow_bootstrap.errors.BootstrapError`, and nothing else if a system misbehaves.
    """

    @property
    def address(self) -> str:
        """Where it is: ``system/kind/name``; unique, and never a secret."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Addresses without which this one cannot be written."""

    @property
    def desired(self) -> State:
        """The owned fields as they should be."""

    def read(self) -> State | None:
        """The owned fields as they are, or nothing where it, or what it is in, is not there. Writes nothing."""

    def create(self) -> None:
        """Make it; fine where somebody else just did."""

    def update(self, current: State) -> None:
        """Bring the owned fields of ``current`` to ``desired``, and leave all others as found."""


class Removable(Resource, Protocol):
    """A resource that ``destroy`` may take away."""

    def delete(self) -> None:
        """Take it away; fine where it is gone."""


R = TypeVar("R", bound=Resource)


class Action(StrEnum):
    """What a plan says of a resource; the value is its sign."""

    CREATE = "+"
    UPDATE = "~"
    KEEP = "="
    DELETE = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """A resource, what is to be done with it, and the fields that differ."""

    action: Action
    address: str
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        differing = f"  ({', '.join(self.fields)})" if self.action is Action.UPDATE else ""
        return f"{self.action} {self.address}{differing}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A resource, or a whole system, that could not be dealt with."""

    address: str
    error: BootstrapError

    def __str__(self) -> str:
        return f"! {self.address}: {self.error}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found or did, and what failed."""

    changes: tuple[Change, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def pending(self) -> tuple[Change, ...]:
        """All that is not as it should be."""
        return tuple(change for change in self.changes if change.action is not Action.KEEP)


def differing(desired: State, current: State, *, prefix: str = "") -> Iterator[str]:
    """Dotted names of the fields of ``desired`` that ``current`` lacks or has otherwise."""
    for name, wanted in desired.items():
        found = current.get(name)
        if isinstance(wanted, Mapping) and isinstance(found, Mapping):
            yield from differing(wanted, found, prefix=f"{prefix}{name}.")
        elif wanted != found:
            yield f"{prefix}{name}"


def compare(resource: Resource, current: State | None) -> Change:
    """What is to be done with ``resource``, which was read as ``current``."""
    if current is None:
        return Change(Action.CREATE, resource.address, tuple(resource.desired))
    fields = tuple(differing(resource.desired, current))
    return Change(Action.UPDATE if fields else Action.KEEP, resource.address, fields)


Report = Callable[[Change | Failure], None]
"""Is told each change or failure as soon as it is known."""


def plan(resources: Iterable[Resource], *, report: Report) -> Outcome:
    """Read every resource once and say what would be done. Writes nothing."""
    return _each(resources, lambda resource: compare(resource, resource.read()), report)


def apply(resources: Iterable[Resource], *, report: Report) -> Outcome:
    """Bring every resource to what it should be, and read again what was written.

    A resource whose ``needs`` failed is not attempted; all others are.
    """
    return _each(resources, _apply, report)


def destroy(resources: Iterable[Removable], *, report: Report) -> Outcome:
    """Take away every resource that is there, the last one first."""
    present = tuple(resources)[::-1]
    return _each(present, _delete, report, ordered=False)


def _apply(resource: Resource) -> Change:
    current = resource.read()
    change = compare(resource, current)
    if current is None:
        resource.create()
    elif change.action is Action.UPDATE:
        resource.update(current)
    if change.action is not Action.KEEP:
        _confirm(resource)
    return change


def _confirm(resource: Resource) -> None:
    left = compare(resource, resource.read())
    if left.action is not Action.KEEP:
        raise DriftError(
            f"was written, and still differs in {', '.join(left.fields) or 'being there'}",
            remedy="run apply again; if it stays, something else writes it too",
        )


def _delete(resource: Removable) -> Change:
    if resource.read() is None:
        return Change(Action.KEEP, resource.address)
    resource.delete()
    return Change(Action.DELETE, resource.address)


def _each(resources: Iterable[R], step: Callable[[R], Change], report: Report, *, ordered: bool = True) -> Outcome:
    changes: list[Change] = []
    failures: list[Failure] = []
    blocked: set[str] = set()
    for resource in resources:
        if ordered and blocked.intersection(resource.needs):
            blocked.add(resource.address)
            continue
        try:
            changes.append(step(resource))
            report(changes[-1])
        except BootstrapError as error:
            blocked.add(resource.address)
            failures.append(Failure(resource.address, error))
            report(failures[-1])
    return Outcome(tuple(changes), tuple(failures))
