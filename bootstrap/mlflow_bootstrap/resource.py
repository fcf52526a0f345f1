"""What the engine asks of a resource: it reads apart from writing."""

from typing import Protocol, runtime_checkable

from mlflow_bootstrap.difference import State


class Resource(Protocol):
    """One thing in a system, such as a bucket or a client; it reads apart from writing.

    Every method may raise a :class:`~mlflow_bootstrap.errors.BootstrapError`, and nothing else if a system misbehaves.
    """

    @property
    def address(self) -> str:
        """Where it is: ``system/kind/name``; unique, and never a secret."""

    @property
    def depends_on(self) -> tuple[str, ...]:
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


class Owned(Removable, Protocol):
    """A resource that bears our mark; its ``read`` gives the :class:`~mlflow_bootstrap.ownership.Owner` as well."""

    def adopt(self, current: State) -> None:
        """Mark it as ours, and keep beside the mark what ``release`` needs."""

    def release(self, current: State) -> None:
        """Give an adopted one back as it was found, without our mark."""


@runtime_checkable
class Shared(Protocol):
    """A resource that others may have come to use."""

    def in_use(self) -> str | None:
        """Why ``destroy`` must keep it, such as ``client grafana uses it``."""


@runtime_checkable
class Checked(Protocol):
    """A resource of which a plan can know that an apply would fail."""

    def check(self, current: State | None) -> None:
        """Raise what ``create`` or ``update`` would raise for the lack of something. Writes nothing."""
