"""How `make test` divides the tests between processes."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file stay together, and so do those of the package, which is installed once a session."""
    for item in items:
        room, *rest = item.path.relative_to(ROOT).parts
        item.add_marker(pytest.mark.xdist_group(room if room == "package" else "/".join([room, *rest])))
