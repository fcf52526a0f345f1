"""``migrate`` on real PostgreSQL, for both releases."""

import pytest
from pod import Pod

pytestmark = pytest.mark.servers


def test_an_empty_pair_of_databases_is_initialised_and_the_next_run_finds_nothing_to_do(pod: Pod) -> None:
    first = pod.run("migrate")
    second = pod.run("migrate")

    assert (first.code, second.code) == (0, 0), first.stderr + second.stderr
    assert [line["action"] for line in first.results] == ["initialised", "initialised"]
    assert [line["action"] for line in second.results] == ["none", "none"]
