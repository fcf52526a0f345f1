"""A grant that was read before it is revoked, and remembered after another request has heard of it, opens nothing."""

import pytest
from attacked import new_site, run_inside
from serving import Site

pytestmark = pytest.mark.servers


def test_grant_revoked_while_read_ends_at_once(users_once: Site) -> None:
    with new_site(users_once) as site:
        heard = run_inside(site, "race_grants.py")

    assert len(heard) > 0
    assert {afterwards for _, afterwards in heard} == {403}
