"""Compares what is with what should be, and writes only when told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar, cast

from mlflow_bootstrap.difference import Difference, State, differences
from mlflow_bootstrap.errors import BootstrapError, DriftError, OwnershipError, UnreachableError
from mlflow_bootstrap.ownership import OWNER, Adoption, Owner, Standing
from mlflow_bootstrap.resource import Checked, Owned, Removable, Resource, Shared

R = TypeVar("R", bound=Resource)
NOTHING = Adoption()


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
    note: str = ""
    """What else a reader should know, such as whose it is."""
    adopts: bool = False
    """Whether it takes over what others own."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that differ."""
        return tuple(difference.field for difference in self.differences)

    def __str__(self) -> str:
        differing = f" {', '.join(map(str, self.differences))}" if self.differences and self._shows_values else ""
        note = f" ({self.note})" if self.note else ""
        return f"{self.action} {self.address}{note}{differing}"

    @property
    def _shows_values(self) -> bool:
        return self.action is Action.UPDATE


@dataclass(frozen=True, slots=True)
class Failure:
    """A resource, or a whole system, that could not be dealt with."""

    address: str
    error: BootstrapError

    def __str__(self) -> str:
        # What others own is a part of a plan, so it reads like the other lines.
        colon = "" if self.is_foreign else ":"
        return f"! {self.address}{colon} {self.error}"

    @property
    def is_foreign(self) -> bool:
        """Whether it is about something that others own."""
        return isinstance(self.error, OwnershipError)


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


def plan(resources: Iterable[Resource], *, report: Report, adoption: Adoption = NOTHING) -> Outcome:
    """Read every resource once and say what would be done, or why it could not be. Writes nothing."""
    return _each(resources, lambda resource: _plan(resource, adoption), report, past_foreign=True)


def apply(resources: Iterable[Resource], *, report: Report, adoption: Adoption = NOTHING) -> Outcome:
    """Bring every resource to what it should be, and read again what was written.

    A resource is skipped if one that it depends on failed; all others are attempted. What ``adoption`` covers is
    reported with its values before it is written.
    """
    announced: list[Change] = []

    def announce(change: Change) -> None:
        announced.append(change)
        report(change)

    def report_others(item: Change | Failure) -> None:
        if item not in announced:
            report(item)

    return _each(resources, lambda resource: _apply(resource, adoption, announce), report_others)


def destroy(resources: Iterable[Removable], *, report: Report) -> Outcome:
    """Delete every resource that is ours and that no one else uses, the last one first."""
    # The list is in order of creation; what was created last depends on the others.
    present = tuple(resources)[::-1]
    return _each(present, _delete, report, ordered=False)


def _plan(resource: Resource, adoption: Adoption) -> Change:
    current = resource.read()
    change = _intended(resource, current, adoption)
    # Nothing is written of an unchanged resource, so nothing of it can be lacking.
    if change.action is not Action.KEEP and isinstance(resource, Checked):
        resource.check(current)
    return change


def _intended(resource: Resource, current: State | None, adoption: Adoption) -> Change:
    """What is to be done with a resource in view of whose it is.

    Raises:
        OwnershipError: it is not ours, and neither adopted nor usable as it is.
    """
    change = compare(resource, current)
    owner: Owner | None = current.get(OWNER) if current is not None else None
    if owner is None or owner.standing is Standing.OURS:
        return change
    if adoption.covers(resource.address, owner):
        return replace(change, action=Action.UPDATE, adopts=True, note=f"adopted from {owner.name}")
    # A thing of others serves only as long as it needs no change, which would not be ours to make.
    if owner.usable and change.action is Action.KEEP:
        return replace(change, note=f"used as it is, belongs to {owner.name}")
    raise _foreign(change, owner)


def _foreign(change: Change, owner: Owner) -> OwnershipError:
    differing = f" ({', '.join(map(str, change.differences))})" if change.differences else ""
    flag = "--adopt-earlier" if owner.standing is Standing.EARLIER else f"--adopt {change.address}"
    return OwnershipError(
        f"belongs to {owner.name}{differing}",
        remedy=f"take it over with {flag}, or name another in {owner.setting}",
        flag=flag,
    )


def _apply(resource: Resource, adoption: Adoption, announce: Callable[[Change], None]) -> Change:
    current = resource.read()
    change = _intended(resource, current, adoption)
    if current is None:
        resource.create()
    elif change.adopts:
        announce(change)
        cast(Owned, resource).adopt(current)
        # Read before the mark was set, so these are the differences that were shown.
        if change.differences:
            resource.update(current)
    elif change.action is Action.UPDATE:
        resource.update(current)
    # Systems ignore fields that they do not know, and answer that all is well.
    if change.action is not Action.KEEP:
        _confirm(resource)
    return change


def _confirm(resource: Resource) -> None:
    current = resource.read()
    left = compare(resource, current)
    if left.action is not Action.KEEP:
        raise DriftError(
            f"was written, and still differs in {', '.join(left.fields) or 'being there'}",
            remedy="run apply again; if it stays, something else writes it too",
        )
    owner: Owner | None = current.get(OWNER) if current is not None else None
    if owner is not None and owner.standing is not Standing.OURS and not owner.markless:
        raise DriftError(
            f"was written, and then belongs to {owner.name}",
            remedy="another environment, or another team, has created it at the same time under the same name",
        )


def _delete(resource: Removable) -> Change:
    current = resource.read()
    if current is None:
        return Change(Action.KEEP, resource.address)
    owner: Owner | None = current.get(OWNER)
    if owner is not None and owner.standing is not Standing.OURS:
        return Change(Action.KEEP, resource.address, note=f"belongs to {owner.name}")
    # An adopted thing was there before us, and others may rely on it.
    if owner is not None and owner.adopted:
        cast(Owned, resource).release(current)
        return Change(Action.UPDATE, resource.address, note="given back as it was found")
    reason = resource.in_use() if isinstance(resource, Shared) else None
    if reason:
        return Change(Action.KEEP, resource.address, note=reason)
    resource.delete()
    return Change(Action.DELETE, resource.address)


def _each(
    resources: Iterable[R],
    step: Callable[[R], Change],
    report: Report,
    *,
    ordered: bool = True,
    past_foreign: bool = False,
) -> Outcome:
    changes: list[Change] = []
    failures: list[Failure] = []
    blocked: set[str] = set()
    for resource in resources:
        # What depends on a failure would only fail as well, and hide the cause among its consequences.
        if ordered and blocked.intersection(resource.depends_on):
            blocked.add(resource.address)
            continue
        try:
            changes.append(step(resource))
            report(changes[-1])
        except BootstrapError as error:
            failure = failure_of(resource.address, error)
            # A plan shows everything that exists, also what needs a thing of others.
            if not (past_foreign and failure.is_foreign):
                blocked.add(resource.address)
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
