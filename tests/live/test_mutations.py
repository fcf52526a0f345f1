"""A change of one constant in the constructs that would break something is noticed on the node, and by which check."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from constant_mutations import MUTATIONS, Mutation
from mutant import CHECKS, Mutant, name_of, run

from live.system import System

pytestmark = pytest.mark.servers

LONGER = 4
"""How many times as long as the unchanged system's the replacement of its pod may take."""


@pytest.fixture(scope="module")
def original(new_system: Callable[..., System]) -> Iterator[System]:
    """The unchanged system of the release with the most to configure."""
    with new_system("3.6.0", "mutated") as system:
        yield system


@pytest.fixture(scope="module")
def patience(original: System) -> float:
    """Seconds that a changed system has to replace its pod."""
    begin = time.monotonic()
    original.workloads.restart()
    return LONGER * (time.monotonic() - begin)


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_an_unchanged_system_passes_every_check(original: System, check: Callable[..., None]) -> None:
    run(check, original)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_changed_constant_is_noticed(
    original: System,
    patience: float,
    mutation: Mutation,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    mutant = Mutant(original=original, mutation=mutation, folder=tmp_path, patience=patience)

    try:
        noticed_by = mutant.noticed_by()
    finally:
        mutant.remove()

    record_property("table", f"{mutation.name}: {noticed_by.replace('_', ' ')}")
    assert noticed_by == mutation.noticed_by
