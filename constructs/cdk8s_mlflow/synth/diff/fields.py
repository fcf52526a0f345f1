"""Two values of an object compared, field by field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

MISSING: Final = None
"""Stands for a field that is not there; Kubernetes, too, takes null for a field that is absent."""

_NAMES = ("name", "mountPath", "secretKey")
"""Fields by which the items of a list are told apart, if each item has one."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field whose value differs; ``path`` has dots, and the name of a list's item in brackets."""

    path: str
    before: Any
    after: Any


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """Every field that differs, in the order of the paths; what was added or removed whole is one change."""
    return list(_changes("", before, after))


def _changes(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _changes(f"{path}.{key}" if path else str(key), before.get(key), after.get(key))
    elif _is_list(before) and _is_list(after):
        yield from _list_changes(path, before, after)
    elif isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
        yield from _scalar_changes(path, before.splitlines(), after.splitlines())
    else:
        yield FieldChange(path, before, after)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _list_changes(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[FieldChange]:
    items = [*before, *after]
    if not all(isinstance(item, Mapping) for item in items):
        yield from _scalar_changes(path, [str(item) for item in before], [str(item) for item in after])
        return
    name = next((name for name in _NAMES if all(name in item for item in items)), None)
    old, new = _by(name, before), _by(name, after)
    for key in [*old, *(key for key in new if key not in old)]:
        yield from _changes(f"{path}[{key}]", old.get(key), new.get(key))


def _by(name: str | None, items: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {str(item[name]) if name else str(index): item for index, item in enumerate(items)}


def _scalar_changes(path: str, before: Sequence[str], after: Sequence[str]) -> Iterator[FieldChange]:
    # autojunk would take a line that stands often in a long text for noise.
    for tag, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield FieldChange(path, " ".join(before[start:end]) or None, " ".join(after[new_start:new_end]) or None)
