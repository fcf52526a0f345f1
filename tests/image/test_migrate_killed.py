"""``migrate`` killed at random moments: the next run always ends at the heads, with the very same schema."""

import random
from collections.abc import Callable

import pytest
from depth import sized
from pod import Pod
from schema_dump import schema_dumps

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

KILLS = sized(change=5, every=20)


def test_killed_migration_ends_at_heads_on_rerun(make_pod: Callable[..., Pod]) -> None:
    whole = make_pod().migrate()
    unkilled = make_pod()
    again = unkilled.migrate()
    assert (whole.code, again.code) == (0, 0)
    # A new server takes longer for the first: a kill would often come too late.
    longest = min(whole.seconds, again.seconds)
    expected = schema_dumps(unkilled.database)

    codes = []
    for _ in range(KILLS):
        pod = make_pod()
        killed = pod.migrate(kill_after=random.uniform(0, longest))
        after = pod.migrate()
        codes.append((killed.code, after.code))
        assert schema_dumps(pod.database) == expected

    assert [after for _, after in codes] == [0] * KILLS
    assert sum(killed == -9 for killed, _ in codes) >= KILLS / 2
