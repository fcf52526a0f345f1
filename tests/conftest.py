"""How `make test` divides the tests between processes, and which modules it need not import."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
_ONLY_SERVERS = re.compile(r"^pytestmark = \[?pytest\.mark\.servers\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Modules with nothing but tests that are left out anyway: their imports take longer than many tests."""
    left_out = "not servers" in config.option.markexpr and collection_path.suffix == ".py"
    return True if left_out and _ONLY_SERVERS.search(collection_path.read_text()) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file stay together, and so do those of the package, which is installed once a session."""
    for item in items:
        room, *rest = item.path.relative_to(ROOT).parts
        item.add_marker(pytest.mark.xdist_group(room if room == "package" else "/".join([room, *rest])))
