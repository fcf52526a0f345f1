"""A search for runs imports nothing, while MLflow tries to import its own login at each."""

import pytest
from attacked import run_inside
from serving import Site

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

FOUND = {"api": True, "pages": True, "graphql": True}


def test_search_looks_for_no_login(site: Site) -> None:
    found = run_inside(site, "search_imports.py", "ours")

    # With Flask-WTF in the image MLflow would filter by grants of its own login, which are none.
    assert found == {"looked for": [], "found": FOUND, "extended": 200}


def test_upstream_looks_at_each_search(site: Site) -> None:
    # If this fails, MLflow has mended it and the patch can go.
    found = run_inside(site, "search_imports.py", "upstream")

    assert (found["looked for"], found["found"]) == (["mlflow.server.auth", "flask_wtf"] * 3, FOUND)
