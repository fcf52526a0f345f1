"""Compares what is with what should be, and writes only when told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar, runtime_checkable

from mlflow_bootstrap.difference import Difference, State, differences
from mlflow_bootstrap.errors import BootstrapError, DriftError, UnreachableError


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
        """The owned fields as they are; None if it, or what it is in, does not exist. Writes nothing."""

    def create(self) -> None:
        """Create it; fine if another run just did."""

    def update(self, current: State) -> None:
        """Bring the owned fields of ``current`` to ``desired``, and leave all others as found."""


class Removable(Resource, Protocol):
    """A resource that ``destroy`` may delete."""

    def delete(self) -> None:
        """Delete it; fine if it is gone."""


@runtime_checkable
class Checked(Protocol):
    """A resource of which a plan can know that an apply would fail."""

    def check(self, current: State | None) -> None:
        """Raise what ``create`` or ``update`` would raise for the lack of something. Writes nothing."""


R = TypeVar("R", bound=Resource)


class Action(StrEnum):
    """What a plan says of a resource; the value is its sign."""

    CREATE = "+"
    UPDATE = "~"
    KEEP = "="
    DELETE = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """A resource, what is to be done with it, and what differs."""

    action: Action
    address: str
    differences: tuple[Difference, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that differ."""
        return tuple(difference.field for difference in self.differences)

    def __str__(self) -> str:
        differing = f" {', '.join(map(str, self.differences))}" if self.action is Action.UPDATE else ""
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


def compare(resource: Resource, current: State | None) -> Change:
    """What is to be done with ``resource``, which was read as ``current``."""
    if current is None:
        return Change(Action.CREATE, resource.address, tuple(differences(resource.desired, {})))
    differing = tuple(differences(resource.desired, current))
    return Change(Action.UPDATE if differing else Action.KEEP, resource.address, differing)


Report = Callable[[Change | Failure], None]
"""Is told each change or failure as soon as it is known."""


def plan(resources: Iterable[Resource], *, report: Report) -> Outcome:
    """Read every resource once and say what would be done, or why it could not be. Writes nothing."""
    return _each(resources, _plan, report)


def apply(resources: Iterable[Resource], *, report: Report) -> Outcome:
    """Bring every resource to what it should be, and read again what was written.

    A resource whose ``needs`` failed is not attempted; all others are.
    """
    return _each(resources, _apply, report)


def destroy(resources: Iterable[Removable], *, report: Report) -> Outcome:
    """Delete every resource that exists, the last one first."""
    present = tuple(resources)[::-1]
    return _each(present, _delete, report, ordered=False)


def _plan(resource: Resource) -> Change:
    current = resource.read()
    change = compare(resource, current)
    if change.action is not Action.KEEP and isinstance(resource, Checked):
        resource.check(current)
    return change


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
            failure = failure_of(resource.address, error)
            if not repeats(failure, failures):
                failures.append(failure)
                report(failure)
    return Outcome(tuple(changes), tuple(failures))


def failure_of(address: str, error: BootstrapError) -> Failure:
    """The failure of a resource; of an unreachable system its part, since each of its resources fails alike."""
    return Failure(address.partition("/")[0] if isinstance(error, UnreachableError) else address, error)


def repeats(failure: Failure, earlier: Iterable[Failure]) -> bool:
    """Whether ``failure`` says of an unreachable system what one of ``earlier`` has said."""
    return isinstance(failure.error, UnreachableError) and str(failure.error) in (str(one.error) for one in earlier)
