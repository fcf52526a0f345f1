"""Differences between what is and what should be, in a form that can be shown: a secret is never part of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import SecretStr

State = Mapping[str, Any]
"""The fields that we own, as plain data; a secret is a ``pydantic.SecretStr``, which compares and does not print."""

LONGEST_LIST = 160
"""Characters of a list that are shown whole; of a longer one only the elements that differ are."""


class Secrecy(StrEnum):
    """What may be said of a value that is never shown."""

    RIGHT = "as in the store"
    DIFFERS = "differs"
    MISSING = "missing"
    RENEWED = "renewed"
    NEEDLESS = "set, though a certificate logs in"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field (a dotted name), its value, and the value that it should have."""

    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.hidden is not None:
            return f"{self.field}: {self.hidden}"
        before, after = self.before, self.after
        # Systems answer with lists, and some desired states are tuples.
        if isinstance(before, list | tuple) and isinstance(after, list | tuple):
            return f"{self.field}: {_lists(list(before), list(after))}"
        return f"{self.field}: {shown(before)} → {shown(after)}"

    @property
    def hidden(self) -> Secrecy | None:
        """What is said instead of the values; None if they may be shown."""
        if isinstance(self.before, Secrecy):
            return self.before
        if not _is_secret(self.before) and not _is_secret(self.after):
            return None
        # Not even the length of a secret is said.
        return Secrecy.DIFFERS if self.before else Secrecy.MISSING


def differences(desired: State, current: State, *, prefix: str = "") -> Iterator[Difference]:
    """The fields of ``desired`` that ``current`` lacks or has otherwise."""
    # Only fields of `desired` are compared: what a system has beyond them is another team's.
    for name, wanted in desired.items():
        found = current.get(name)
        if isinstance(wanted, Mapping) and isinstance(found, Mapping):
            yield from differences(wanted, found, prefix=f"{prefix}{name}.")
        elif wanted != found:
            yield Difference(f"{prefix}{name}", found, wanted)


def shown(value: Any) -> str:
    """A value as a plan prints it, on one line; anything secret in it is masked."""
    match value:
        case None | "":
            return "(none)"
        case bool():
            return str(value).lower()
        case SecretStr() | Secrecy():
            return "(not shown)"
        case str():
            # A value with spaces at its ends, or with control characters, would look like another one.
            return value if value.isprintable() and value == value.strip() else json.dumps(value)
        case Mapping():
            return "{" + ", ".join(f"{name}: {shown(inner)}" for name, inner in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(shown, value)) + "]"
    return str(value)


def _lists(before: list[Any], after: list[Any]) -> str:
    whole = f"{shown(before)} → {shown(after)}"
    if len(whole) <= LONGEST_LIST:
        return whole
    removed = [f"-{shown(one)}" for one in before if one not in after]
    return ", ".join([*removed, *(f"+{shown(one)}" for one in after if one not in before)])


def _is_secret(value: Any) -> bool:
    return isinstance(value, SecretStr | Secrecy)
