"""Attacks that once worked are refused, and the same requests about one's own things are served."""

import pytest
from attacked import new_site, run_inside
from serving import Site

pytestmark = pytest.mark.servers


def test_known_attacks_are_refused(users_once: Site) -> None:
    with new_site(users_once) as site:
        found = run_inside(site, "ask_attacks.py")

    assert found["served"] == []
    assert found["refused"] == []
    assert found["changed"] == []


def test_requests_with_one_foreign_name_are_refused(users_once: Site) -> None:
    with new_site(users_once) as site:
        found = run_inside(site, "ask_mixed.py")

    assert found["wrong"] == []
    assert found["asked"] > 100


def test_other_spellings_of_an_experiment_open_nothing(users_once: Site) -> None:
    # With it a grant that denies is all that keeps bert out.
    with new_site(users_once, DEFAULT_MLFLOW_PERMISSION="EDIT") as site:
        found = run_inside(site, "ask_spellings.py")

    assert found["served"] == []
    assert found["own"] == [200, 200]
    assert found["asked"] > 200


def test_ways_round_to_things_of_others_are_refused(users_once: Site) -> None:
    with new_site(users_once) as site:
        found = run_inside(site, "ask_siblings.py")

    assert found["served"] == []
    assert found["failed"] == []
    assert found["refused"] == []
    assert found["shown"] == []
    assert found["still"] == 200
    # Of another length HEAD would be the answer to another question.
    assert found["lengths"][0] == found["lengths"][1]


def test_old_names_open_nothing(users_once: Site) -> None:
    with new_site(users_once) as site:
        wrong = run_inside(site, "ask_renames.py")

    assert wrong == []


def test_requests_that_are_read_by_half_are_refused(users_once: Site) -> None:
    with new_site(users_once) as site:
        found = run_inside(site, "ask_half_read.py")

    assert found["wrong"] == []
    assert set(found["served"]) == {200}
    assert found["count"] > 150
