"""Settings that are given and change nothing, since what they belong to is off, each refused in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.effect_rules import RULES
from cdk8s_mlflow.settings.instance import default_of
from cdk8s_mlflow.settings.section import Conflict, Section

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings


def without_effect(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each setting that differs from its default and changes nothing."""
    named: set[str] = set()
    for rule in RULES:
        for key in rule.keys if not rule.counts(settings) else ():
            if key not in named and _asks(settings, key, even_default=rule.even_default):
                named.add(key)
                yield key, f"has no effect {rule.without}"


def _asks(settings: EnvironmentSettings, key: str, *, even_default: bool) -> bool:
    """Whether the file gives ``key``, and asks by it for something other than the default, or ``even_default``."""
    section: Section | None = settings
    *above, name = key.split(".")
    for part in above:
        if section is None or part not in section.model_fields_set:
            return False
        section = getattr(section, part)
    if section is None or name not in section.model_fields_set:
        return False
    value = getattr(section, name)
    # Nothing beside something that is off says the same once more.
    says_default = value == default_of(section, name, settings.instance)
    return value not in (None, (), {}) and (even_default or not says_default)
