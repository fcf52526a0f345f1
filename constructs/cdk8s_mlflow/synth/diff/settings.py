"""Which effective settings differ from the committed ones, and what that means for data and backing services."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cdk8s_mlflow.releases import RELEASES
from cdk8s_mlflow.settings import Settings, SettingsError, load
from cdk8s_mlflow.synth.diff.effects import Effect
from cdk8s_mlflow.synth.diff.fields import FieldChange, field_changes


def committed_settings(text: str, name: str) -> Settings | None:
    """The settings of a committed environment file; None if this version does not accept them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            return load(file)
        except SettingsError:
            return None


def settings_changes(before: Settings, after: Settings) -> list[FieldChange]:
    """Every effective setting that differs, derived defaults included."""
    return field_changes(before.model_dump(mode="json"), after.model_dump(mode="json"))


def settings_effects(field: FieldChange) -> Iterator[Effect]:
    """What follows from a changed setting, beyond what the objects say themselves."""
    rule = _RULES.get(field.path)
    if rule:
        yield from rule(field.before, field.after)
    if field.path.partition(".")[0] in _BOOTSTRAPPED or field.path in {
        "ingress.host",
        "ingress.more_hosts",
        "ingress.public_port",
    }:
        yield Effect("bootstrap", "bootstrap.py acts on it")


def _release(before: str, after: str) -> Iterator[Effect]:
    names = list(RELEASES)
    # RELEASES is in the order of age.
    if names.index(after) < names.index(before):
        yield Effect(
            "data", "the older release cannot read the newer schema: restore both databases from a backup of it"
        )
    else:
        yield Effect("data", "the schema cannot be turned back: back up both databases first")


def _other_database(before: Any, after: Any) -> Iterator[Effect]:
    yield Effect("data", "another database: experiments, models and permissions stay in the old one")


def _other_bucket(before: Any, after: Any) -> Iterator[Effect]:
    yield Effect("data", "artifacts stay where they are: copy them first")


def _retention(before: int, after: int) -> Iterator[Effect]:
    if after < before:
        yield Effect("data", "what users have deleted is deleted for good sooner")


def _namespace(before: str, after: str) -> Iterator[Effect]:
    yield Effect("replaces", "every object is created anew in the other namespace, and the old ones are pruned")


_RULES: Mapping[str, Callable[[Any, Any], Iterator[Effect]]] = {
    "release": _release,
    "namespace": _namespace,
    "maintenance.retention_days": _retention,
    **{
        f"database.{key}": _other_database
        for key in ("cluster", "cluster_namespace", "host", "port", "name", "auth_name")
    },
    **{f"artifacts.{key}": _other_bucket for key in ("kind", "endpoint", "bucket", "prefix")},
}

_BOOTSTRAPPED = {"instance", "authentication", "artifacts", "database", "secrets"}
"""Sections that bootstrap.py acts on, too."""
