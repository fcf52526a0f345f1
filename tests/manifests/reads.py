"""Which settings are read while an environment is rendered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.section import Section


@contextmanager
def recorded(settings: Settings) -> Iterator[set[str]]:
    """The dotted keys of ``settings`` that are read inside, also by a property."""
    sections, read = dict(_sections(settings)), set[str]()

    def record(section: Section, name: str) -> Any:
        above = sections.get(id(section))
        if above is not None:
            read.add(f"{above}{name}")
        return object.__getattribute__(section, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Section, "__getattribute__", record, raising=False)
        yield read


def _sections(section: Section, above: str = "") -> Iterator[tuple[int, str]]:
    yield id(section), above
    for name, value in section:
        if isinstance(value, Section):
            yield from _sections(value, f"{above}{name}.")
