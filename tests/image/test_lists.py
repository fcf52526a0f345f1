"""Lists cost the same few statements for every user and amount of data, and are MLflow's minus what is not granted."""

from collections.abc import Iterator
from typing import Any

import pytest
from attacked import new_site, run_inside
from depth import sized
from many_rows import Amount, fill
from serving import API, Serving, Site

pytestmark = pytest.mark.servers

SMALL, LARGE = 20, sized(change=100, every=300)
"""Experiments, and as many of everything else. A statement for each of the fewer ones is more than ``MOST``, too."""
MOST = 40
"""Statements of one request."""
MEMBERS = ("everything", "one grant", "patterns", "everything by a group", "patterns of a group")
NOT_THEIRS = "users of an experiment"
"""Shown to those who manage it."""


@pytest.fixture
def site(users_once: Site) -> Iterator[Site]:
    """Users without grants, and a little data."""
    with new_site(users_once) as site:
        fill(site.pod.database, Amount(experiments=SMALL))
        yield site


@pytest.mark.either_release
def test_lists_cost_same_statements(site: Site) -> None:
    # when
    small = run_inside(site, "count_statements.py")
    fill(site.pod.database, Amount(experiments=LARGE - SMALL, after=SMALL))
    large = run_inside(site, "count_statements.py")

    # then
    assert _growing(small, large) == []
    assert {name: line for name, line in large.items() if line["statements"] > MOST} == {}
    refused = {name: line["status"] for name, line in large.items() if line["status"] != 200}
    assert refused == {f"{NOT_THEIRS}, {caller}": 403 for caller in MEMBERS}


def _growing(small: dict[str, Any], large: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {small[name]['statements']} to {line['statements']}"
        for name, line in large.items()
        if line["statements"] > 2 * small[name]["statements"]
    ]


def test_pages_are_mlflows_without_others_rows(site: Site) -> None:
    # given
    # More than the longest page.
    fill(site.pod.database, Amount(experiments=15, after=SMALL))
    site.pod.database.query(
        "INSERT INTO entity_associations (association_id, source_type, source_id, destination_type, destination_id)"
        " SELECT 'b-' || md5(source_id), source_type, source_id, destination_type, (destination_id::int + 1)::text"
        " FROM entity_associations WHERE mod(destination_id::int, 4) = 0"
    )

    # when
    differences = run_inside(site, "ask_pages.py")

    # then
    assert differences == []


ODD = ("it's", "back\\slash", "50 %s of %(all)s", "größe 漢", "{a,b}", 'quo"te', "NULL", "$1", "E'x'", "end\\")
"""Names with letters of which SQL, or a text of an array, makes something of its own."""
HOSTILE = f'x","{ODD[0]}'
"""Another user's, which would be two names in a text of an array without escapes."""


@pytest.mark.either_release
def test_models_with_odd_names_are_listed(site: Site) -> None:
    path = f"{API}/registered-models"
    with Serving(pod=site.pod) as server, server.client("gina", site.keys["gina"]) as gina:
        server.wait()
        for name in ODD:
            gina.post(f"{path}/create", json={"name": name}).raise_for_status()
        with server.client("hugo", site.keys["hugo"]) as hugo:
            hugo.post(f"{path}/create", json={"name": HOSTILE}).raise_for_status()
            found = [client.get(f"{path}/search?max_results=1000").raise_for_status() for client in (gina, hugo)]

    own, others = ({model["name"] for model in answer.json().get("registered_models", [])} for answer in found)
    assert own == set(ODD)
    assert others == {HOSTILE}
