"""What is wrong with a request is said with 400 or 404, also if MLflow's handler does not look at it and fails."""

import pytest
from attacked import new_site, run_inside
from serving import Site

pytestmark = pytest.mark.servers

SPANS = {"3.6.0": 200, "3.17.2": 404}
"""The answer to who asks for the spans of a trace that has none; release 3.6.0 gives an empty list."""


def test_unchecked_input_gets_400(users_once: Site) -> None:
    with new_site(users_once) as site:
        found = run_inside(site, "ask_unchecked.py")

    assert found["wrong"] == []
    assert "timestamp" in found["fraction"]
    assert found["served"] == [200, 200]
    assert found["spans"] == SPANS[users_once.pod.venv.release]
