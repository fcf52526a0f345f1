"""Values that a list names twice: the API server refuses some of them, and no one means them."""

from collections.abc import Iterator

from cdk8s_mlflow.settings.section import Conflict, Section

_COMMAND = "command"
"""Words of a program, which may come again."""


def repeated(section: Section, above: str = "") -> Iterator[Conflict]:
    """Dotted key and message for each list of texts or numbers, at any depth, that holds a value twice."""
    for name in type(section).model_fields:
        yield from _values(getattr(section, name), f"{above}{name}") if name != _COMMAND else ()


def _values(value: object, key: str) -> Iterator[Conflict]:
    if isinstance(value, Section):
        yield from repeated(value, f"{key}.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _values(inner, f"{key}.{name}")
    elif isinstance(value, tuple):
        for again in sorted({str(item) for item in value if isinstance(item, str | int) and value.count(item) > 1}):
            yield key, f"names {again} twice; remove one"
        for number, inner in enumerate(value):
            yield from _values(inner, f"{key}[{number}]")
