"""Objects of an environment's tree, old and new side by side."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ruamel.yaml import YAML

from cdk8s_mlflow.synth.diff.fields import FieldChange, field_changes

State = Literal["new", "removed", "changed", "unchanged"]


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What an object is called; a Job without the digest of its content."""

    folder: str
    """The part of the tree, such as ``application`` or ``delivery/flux``."""
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """An object and by which fields it differs."""

    identity: Identity
    state: State
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    fields: tuple[FieldChange, ...]


def object_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[ObjectChange]:
    """Every object of two trees, given as texts by path below the environment's folder, in the order of their names."""
    old, new = _by_identity(before), _by_identity(after)
    return [_compare(identity, old.get(identity), new.get(identity)) for identity in sorted({*old, *new})]


def _by_identity(files: Mapping[str, str]) -> dict[Identity, tuple[str, str]]:
    return {_identity(path): (path, text) for path, text in files.items()}


def _identity(path: str) -> Identity:
    folder, _, file = path.rpartition("/")
    kind, dot, name = file.removesuffix(".k8s.yaml").partition(".")
    if not dot or not file.endswith(".k8s.yaml"):
        return Identity(folder, "file", file)
    return Identity(folder, kind, re.sub(r"-[0-9a-f]{10}$", "", name) if kind == "Job" else name)


def _compare(identity: Identity, old: tuple[str, str] | None, new: tuple[str, str] | None) -> ObjectChange:
    if old == new:
        return ObjectChange(identity, "unchanged", {}, {}, ())
    before, after = (_parsed(identity, file) for file in (old, new))
    # A Job's name follows from its content, so another file name is another Job.
    state: State = "removed" if new is None else "new" if old is None or old[0] != new[0] else "changed"
    fields = tuple(field_changes(before, after)) if old and new else ()
    return ObjectChange(identity, state, before, after, tuple(_without_name(identity, fields)))


def _parsed(identity: Identity, file: tuple[str, str] | None) -> Mapping[str, Any]:
    if file is None:
        return {}
    if identity.kind == "file":
        return {"text": file[1]}
    document = YAML(typ="safe", pure=True).load(file[1])
    return document if isinstance(document, Mapping) else {}


def _without_name(identity: Identity, fields: tuple[FieldChange, ...]) -> Iterator[FieldChange]:
    for field in fields:
        if not (identity.kind == "Job" and field.path == "metadata.name"):
            yield field
