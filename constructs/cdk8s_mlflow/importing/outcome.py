"""What becomes of a setting of another installation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Carried:
    """A value of ours: ``key`` is dotted."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A setting that has no place here: ``source`` is its own name, ``reason`` a clause."""

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


Outcome = Carried | LeftOut

SECRET = "is a secret: keep it in the secret store (`bootstrap.py secrets`), never in a file"  # noqa: S105
ALWAYS = "is always so here"


def document(carried: Mapping[str, Any]) -> dict[str, Any]:
    """Nested sections of dotted keys."""
    result: dict[str, Any] = {}
    for key, value in carried.items():
        *sections, name = key.split(".")
        holder = result
        for section in sections:
            holder = holder.setdefault(section, {})
        holder[name] = value
    return result


def text_of(value: Any) -> str:
    """A scalar as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def asked(value: Any) -> bool:
    """Whether a value of a values file asks for anything: not empty, not off."""
    if isinstance(value, Mapping):
        return any(asked(item) for item in value.values())
    return value not in (None, "", False) and value != [] and value != ()
