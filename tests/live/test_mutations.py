"""A change of one constant in the constructs that would break something is noticed, and by whom."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mutant import CHECKS, Mutant, name_of, run, stopped_in_the_end
from mutations import MUTATIONS, Mutation

from live.system import System

pytestmark = pytest.mark.servers

LONGER = 4
"""How many times as long as the unchanged system's a pod's start may take."""


@pytest.fixture(scope="module")
def original(new_system: Callable[..., System]) -> Iterator[System]:
    """The unchanged system of the release with the most to configure; it has run once, and stands still."""
    system = new_system("3.6.0", "mutated")
    with system:
        yield system


@pytest.fixture(scope="module")
def patience(original: System) -> float:
    """Seconds that a pod of a changed system has to become ready."""
    pod = original.cluster.new_pod("patience", original.cluster.objects.one("Deployment")["spec"]["template"])
    begin = time.monotonic()
    pod.start()
    pod.wait_ready(600)
    needed = time.monotonic() - begin
    pod.stop()
    return LONGER * needed


@pytest.fixture(scope="module")
def stopper() -> Iterator[ThreadPoolExecutor]:
    """Stops pods beside what goes on; all are stopped in the end."""
    with ThreadPoolExecutor(1) as threads:
        yield threads


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_an_unchanged_system_passes_every_check(original: System, check: Callable[..., None]) -> None:
    run(check, original)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_changed_constant_is_noticed(
    original: System,
    patience: float,
    stopper: ThreadPoolExecutor,
    mutation: Mutation,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    original.stop()
    mutant = Mutant(original=original, mutation=mutation, folder=tmp_path, patience=patience)

    with stopped_in_the_end(mutant.system, stopper.submit):
        noticed_by = mutant.noticed_by()

    record_property("table", f"{mutation.name}: {noticed_by.replace('_', ' ')}")
    assert noticed_by == mutation.noticed_by
