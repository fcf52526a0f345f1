"""The differences of an environment, as lines for a person and as a document for a program."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from re import sub
from typing import Any

from cdk8s_mlflow.synth.diff.effects import Effect, field_effects, object_effects
from cdk8s_mlflow.synth.diff.fields import FieldChange
from cdk8s_mlflow.synth.diff.objects import ObjectChange
from cdk8s_mlflow.synth.diff.settings import settings_effects

_SHOWN_UNCHANGED = {"Database", "Deployment", "Job"}
_WIDTH = 100
"""Characters of a value that a line shows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: a subject, what happened to it, and what follows."""

    subject: str
    text: str
    effects: tuple[Effect, ...] = ()

    def __str__(self) -> str:
        following = "; ".join(effect.text for effect in self.effects if effect.impact != "bootstrap")
        return f"{self.subject}: {self.text}" + (f" ({following})" if following else "")


@dataclass(frozen=True, slots=True)
class EnvironmentDiff:
    """What differs in one environment; ``notes`` say what could not be compared."""

    name: str
    settings: Sequence[FieldChange]
    objects: Sequence[ObjectChange]
    notes: Sequence[str] = ()

    @property
    def different(self) -> bool:
        """Whether any object differs from the committed one."""
        return any(change.state != "unchanged" for change in self.objects)

    def findings(self) -> list[Finding]:
        """Every line of the report, the settings first."""
        return [*_settings_findings(self.settings), *(f for change in self.objects for f in _object_findings(change))]

    def concerned(self, impact: str) -> list[str]:
        """The subjects with an effect of ``impact``, each once, with what follows if it is about data."""
        found = [(f.subject, e.text) for f in self.findings() for e in f.effects if e.impact == impact]
        names = [f"{subject}: {text}" if impact == "data" else subject for subject, text in found]
        return list(dict.fromkeys(names))

    @property
    def needs_bootstrap(self) -> bool:
        """Whether a setting that bootstrap.py acts on has changed."""
        return any(e.impact == "bootstrap" for finding in self.findings() for e in finding.effects)


def _settings_findings(fields: Sequence[FieldChange]) -> Iterator[Finding]:
    for field in fields:
        yield Finding(f"setting {field.path}", _values(field), tuple(settings_effects(field)))


def _object_findings(change: ObjectChange) -> Iterator[Finding]:
    subject = str(change.identity)
    if change.state in {"new", "removed"}:
        yield Finding(subject, change.state, tuple(object_effects(change)))
    elif change.state == "unchanged" and change.identity.kind in _SHOWN_UNCHANGED:
        yield Finding(subject, "unchanged")
    for label, fields in _grouped(change.fields).items():
        # What follows from a new object is said once, with the object.
        effects = () if change.state == "new" else field_effects(change, fields[0])
        yield Finding(subject, f"{label} {_values(fields[0])}", tuple(effects))


def _grouped(fields: Sequence[FieldChange]) -> dict[str, list[FieldChange]]:
    """Fields by label; one that changes alike in several places, as the image does in each container, is one line."""
    alike: dict[tuple[str, str], list[FieldChange]] = {}
    for field in fields:
        alike.setdefault((_last(field.path), repr((field.before, field.after))), []).append(field)
    labels: dict[str, list[FieldChange]] = {}
    for (last, _), group in alike.items():
        label = _short(group[0].path) if len(group) == 1 else last
        labels[label if label not in labels else ", ".join(_short(field.path) for field in group)] = group
    return labels


def _last(path: str) -> str:
    """The part of a path by which a reader knows the field: its last key, and the list's item before ``value``."""
    found = path.removesuffix(".value")
    return found[found.rindex(".") + 1 :] if "." in found.rpartition("[")[0] or "[" not in found else found


def _short(path: str) -> str:
    found = sub(r"^spec\.(jobTemplate\.spec\.)?(template\.spec\.)?", "", path)
    return found.removesuffix(".value") if "[" in found else found


def _values(field: FieldChange) -> str:
    if field.before is None:
        return f"added: {_shown(field.after)}"
    if field.after is None:
        return f"removed: {_shown(field.before)}"
    return f"{_shown(field.before)} → {_shown(field.after)}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and value.keys() == {"name", "value"}:
        value = value["value"]
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


_SUMMARY = {"restarts": "restarts", "migrates": "migrates", "replaces": "is replaced", "data": "could lose data"}


def text_report(environments: Sequence[EnvironmentDiff]) -> str:
    """The report as a person reads it."""
    return "\n\n".join("\n".join(_lines(environment)) for environment in environments)


def _lines(environment: EnvironmentDiff) -> Iterator[str]:
    unchanged = sum(change.state == "unchanged" for change in environment.objects)
    yield environment.name
    yield from (f"  note: {note}" for note in environment.notes)
    yield from (f"  {finding}" for finding in environment.findings())
    yield f"  {unchanged} of {len(environment.objects)} objects unchanged"
    if environment.different:
        for impact, title in _SUMMARY.items():
            yield from _summary(title, environment.concerned(impact))
    if environment.needs_bootstrap:
        yield f"  then: bootstrap.py plan --environment {environment.name}"


def _summary(title: str, subjects: list[str]) -> Iterator[str]:
    if len(subjects) < 2:
        yield f"  {title}: {subjects[0] if subjects else 'nothing'}"
        return
    yield f"  {title}:"
    yield from (f"    {subject}" for subject in subjects)


def json_report(environments: Sequence[EnvironmentDiff]) -> str:
    """The report as a document: ``different``, and per environment its settings, objects and what follows."""
    document = {
        "different": any(environment.different for environment in environments),
        "environments": {environment.name: _document(environment) for environment in environments},
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _document(environment: EnvironmentDiff) -> Mapping[str, Any]:
    return {
        "different": environment.different,
        "notes": list(environment.notes),
        "settings": [_field(field, settings_effects(field)) for field in environment.settings],
        "objects": [_object(change) for change in environment.objects],
        **{impact: environment.concerned(impact) for impact in _SUMMARY},
        "bootstrap": environment.needs_bootstrap,
    }


def _object(change: ObjectChange) -> Mapping[str, Any]:
    new = change.state == "new"
    return {
        "folder": change.identity.folder,
        "kind": change.identity.kind,
        "name": change.identity.name,
        "state": change.state,
        "effects": [_effect(effect) for effect in object_effects(change)],
        "fields": [_field(field, () if new else field_effects(change, field)) for field in change.fields],
    }


def _field(field: FieldChange, effects: Iterator[Effect] | tuple[Effect, ...]) -> Mapping[str, Any]:
    said = [_effect(effect) for effect in effects]
    return {"path": field.path, "before": field.before, "after": field.after, "effects": said}


def _effect(effect: Effect) -> Mapping[str, str]:
    return {"impact": effect.impact, "text": effect.text}
