"""Which setting was meant by a key that is none."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, get_args

from cdk8s_mlflow.settings.section import Section
from cdk8s_mlflow.settings.validated import Settings

_AT_MOST = 5


def nearest_key(location: tuple[int | str, ...]) -> str | None:
    """The dotted key of the setting that ``location`` most likely means, or several; None if nothing is near.

    A setting of the same section comes first, then those of the same name in other sections.
    """
    *above, last = location
    name = _snake_case(str(last))
    section = _section_at(above)
    if section is not None:
        near = get_close_matches(name, section.model_fields, n=1, cutoff=0.7)
        if near:
            return ".".join([*(part for part in map(str, above) if not part.isdigit()), near[0]])
    known = {key: key.rsplit(".", 1)[-1] for key in setting_keys()}
    alike = [key for key, own in known.items() if own == name or key.replace(".", "_") == name]
    return " or ".join(alike[:_AT_MOST]) or None


def _snake_case(name: str) -> str:
    """``keycloakHost`` and ``keycloak-host`` as they are written here."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _section_at(location: list[int | str]) -> type[Section] | None:
    section: type[Section] | None = Settings
    for part in location:
        if isinstance(part, int):
            continue
        field = section.model_fields.get(part) if section else None
        section = _section_in(field.annotation) if field else None
    return section


def _section_in(annotation: Any) -> type[Section] | None:
    """The section that a field holds, optional or in a list or neither."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)


def setting_keys(section: type[Section] = Settings, above: str = "") -> Iterator[str]:
    """The dotted key of every setting of ``section``, sections included."""
    for name, field in section.model_fields.items():
        yield f"{above}{name}"
        inner = _section_in(field.annotation)
        if inner is not None:
            yield from setting_keys(inner, f"{above}{name}.")
