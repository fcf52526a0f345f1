"""From release 3.6.0 to 3.17.2 by bootstrap and kubectl, in the documented order, as test_flux has it by Flux."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rendered_environments import rendered_again
from stored_content import StoredContent

from testbed.node.workload import JobError
from testbed.system import System

pytestmark = [pytest.mark.servers, pytest.mark.nightly]


def test_upgrade_keeps_everything_and_refuses_way_back(make_system: Callable[..., System], tmp_path: Path) -> None:
    system = make_system("3.6.0")
    old = system.environment
    with StoredContent.of(system) as content:
        newer = rendered_again(system, tmp_path, release="3.17.2")

        failures = content.failures_of_reads(lambda: system.become(newer))

        assert failures == []
        assert content.seen() == content.before
        with pytest.raises(JobError, match=r"(?s)schema is newer than this image.* no way down"):
            system.become(old)
        assert content.seen() == content.before
