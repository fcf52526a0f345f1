"""A change of one constant in the constructs that would break something is noticed on the node, and by which check.

The mutants are tried side by side, each in place of an unchanged system that no other uses meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue

import pytest
from constant_mutations import MUTATIONS
from mutant import CHECKS, Mutant, name_of, run
from mutation import Mutation
from rendered_environments import MUTATED

from testbed.system import System

pytestmark = [pytest.mark.servers, pytest.mark.nightly]


@pytest.fixture(scope="module")
def originals(new_system: Callable[..., System]) -> Iterator[list[System]]:
    """Unchanged systems of the release with the most to configure."""
    systems = [new_system("3.6.0", label) for label in MUTATED]
    with ExitStack() as stack, ThreadPoolExecutor(len(systems)) as threads:
        yield list(threads.map(stack.enter_context, systems))


@pytest.fixture(scope="module")
def noticed_by(
    originals: list[System], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[tuple[str, str]]]]:
    """For each mutation's name the check that notices it, and why, soon."""
    unused: SimpleQueue[System] = SimpleQueue()
    for system in originals:
        unused.put(system)

    def tried(mutation: Mutation) -> tuple[str, str]:
        original = unused.get()
        folder = tmp_path_factory.mktemp("mutant")
        mutant = Mutant(original=original, mutation=mutation, folder=folder)
        try:
            return mutant.noticed_by()
        finally:
            mutant.remove()
            unused.put(original)

    with ThreadPoolExecutor(len(originals)) as threads:
        yield {mutation.name: threads.submit(tried, mutation) for mutation in MUTATIONS}
        threads.shutdown(cancel_futures=True)


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_an_unchanged_system_passes_every_check(originals: list[System], check: Callable[..., None]) -> None:
    run(check, originals[0])


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_changed_constant_is_noticed(
    noticed_by: Mapping[str, Future[tuple[str, str]]],
    mutation: Mutation,
    record_property: Callable[[str, object], None],
) -> None:
    check, reason = noticed_by[mutation.name].result()

    record_property("table", f"{mutation.name}: {check.replace('_', ' ')}")
    assert check == mutation.noticed_by, reason
