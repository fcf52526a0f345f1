"""What a request refers to beside the things that it is about takes a permission, too."""

import pytest
from attacked import new_site, run_inside
from serving import Site
from test_gateway import AT_ONCE, LOCAL, ON, WITH_GATEWAY

pytestmark = pytest.mark.servers


@WITH_GATEWAY
def test_references_to_things_of_others_are_refused(users_once: Site) -> None:
    with new_site(users_once, **ON, **LOCAL) as site:
        found = run_inside(site, "ask_references.py")

    assert found["served"] == []
    assert found["refused"] == []
    assert found["counts"] == {"hers": 0, "his": 1}
    # Who may edit a scorer may end its scoring.
    assert found["ended"] == 200


@WITH_GATEWAY
def test_calls_join_no_trace_of_others(users_once: Site) -> None:
    with new_site(users_once, **ON, **LOCAL, **AT_ONCE) as site:
        found = run_inside(site, "ask_linked_calls.py")

    assert found["changed"] == []
    assert found["statuses"] == {"theirs": 403, "mine": 200, "new": 200}
    # A trace that is not stored would begin where MLflow begins all that names no experiment.
    assert found["default"] == {"no grant": [], "EDIT": ["absent"]}


@WITH_GATEWAY
def test_bindings_show_readable_scorers_only(users_once: Site) -> None:
    with new_site(users_once, **ON, **LOCAL) as site:
        found = run_inside(site, "ask_bindings.py")

    assert found == {
        "reader": ["elsewhere"],
        "by type": ["elsewhere"],
        "of the experiment": ["elsewhere", "open"],
        "owner": ["elsewhere", "hidden", "open"],
        "administrator": ["elsewhere", "gone", "hidden", "open"],
    }
