"""A search of a few kilobytes holds no processor of the database for minutes."""

import pytest
from attacked import new_site, run_inside
from serving import Site

pytestmark = pytest.mark.servers


def test_searches_have_few_conditions(users_once: Site) -> None:
    with new_site(users_once) as site:
        found = run_inside(site, "ask_searches.py")

    assert set(found["10"].values()) == {200}, found["10"]
    assert set(found["60"].values()) == {400}, found["60"]
    assert found["words"] == 200
