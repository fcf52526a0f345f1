"""Every route of the table as every role: the real application serves its roles, and tells others nothing."""

import pytest
from attacked import new_site, run_inside
from pod import Pod

pytestmark = pytest.mark.servers


def test_every_route_serves_its_roles_only(migrated_once: Pod) -> None:
    with new_site(migrated_once) as site:
        found = run_inside(site, "ask_every_route.py")

    assert found["lines"] == []
    assert found["asked"] > 1000
