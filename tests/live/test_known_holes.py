"""Operators are told every hole that the tests know."""

from known_holes import KNOWN_HOLES
from permission_rows import rows_of

from live.provisioning import ROOT


def test_the_guide_on_security_lists_every_known_hole() -> None:
    guide = (ROOT / "docs" / "security.md").read_text()

    missing = [name for name in KNOWN_HOLES["3.6.0"] if f"| {name} |" not in guide]

    assert missing == []


def test_known_hole_is_a_request_of_table() -> None:
    asked = {row.name for row in rows_of("3.6.0")}

    assert set(KNOWN_HOLES["3.6.0"]) <= asked


def test_the_current_release_has_no_known_hole() -> None:
    assert KNOWN_HOLES["3.17.2"] == {}
