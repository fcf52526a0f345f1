"""Gives the fields of the settings their docstrings as descriptions, which only the schema shows.

Pydantic does it for every class at its definition if told so, and reads the sources for it in every start of a program.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any, cast, get_args

from cdk8s_mlflow.settings.section import Section


@cache
def describe(section: type[Section]) -> None:
    """Describe the fields of ``section`` and of all sections in it."""
    fields = section.model_fields
    for field in fields.values():
        for inner in _sections(field.annotation):
            describe(inner)
    texts: dict[str, str] = {}
    for base in reversed(section.__mro__):
        if issubclass(base, Section):
            texts |= dict(_docstrings(base))
    for name, field in fields.items():
        if field.description is None and name in texts:
            field.description = texts[name]
    # The schema was built without the descriptions when the class was defined.
    section.model_rebuild(force=True)


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for argument in get_args(annotation):
        yield from _sections(argument)


def _docstrings(section: type[Section]) -> Iterator[tuple[str, str]]:
    """A text right after the field that it is about, as ``inspect.cleandoc`` gives it."""
    definition = cast("ast.ClassDef", ast.parse(textwrap.dedent(inspect.getsource(section))).body[0])
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str() as found)),
            ):
                yield name, inspect.cleandoc(found)
