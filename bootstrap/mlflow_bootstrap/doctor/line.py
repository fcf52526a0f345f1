"""What doctor says: a line for each thing that it has looked at."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARNING = "warning"
    """Works, and will trouble users under some load or at some time."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Could not be looked at."""
    SKIPPED = "skipped"
    """Was not looked at, since that needs something that was not given."""


@dataclass(frozen=True, slots=True)
class Line:
    """``seen`` is a fact, ``means`` its consequence for users, ``do`` the remedy; none of them holds a secret."""

    name: str
    state: State
    seen: str
    means: str = ""
    do: str = ""


def passed(name: str, seen: str) -> Line:
    """The thing is as it should be."""
    return Line(name, State.OK, seen)


def failed(name: str, seen: str, *, means: str, do: str) -> Line:
    """The thing keeps the deployment from working."""
    return Line(name, State.FAILED, seen, means, do)


def warned(name: str, seen: str, *, means: str, do: str) -> Line:
    """The thing works for now."""
    return Line(name, State.WARNING, seen, means, do)


def unknown(name: str, seen: str, *, do: str) -> Line:
    """The thing could not be looked at."""
    # Counts as wrong for the exit code: what cannot be seen may be broken.
    return Line(name, State.UNKNOWN, seen, "doctor cannot say how it is", do)


def skipped(name: str, seen: str, *, do: str) -> Line:
    """The thing was not looked at."""
    return Line(name, State.SKIPPED, seen, "", do)
