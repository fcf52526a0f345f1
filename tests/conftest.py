"""How `make test` divides the tests between processes, and which modules it need not import."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent
_ONLY_SERVERS = re.compile(r"^pytestmark = \[?pytest\.mark\.servers\b", re.MULTILINE)
_LONG = re.compile(r"package/|.*/test_(publishing|journeys|command_line|checkov|render_cache)\.py")

# What takes long on a busy machine is no fault of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


class ByFile(LoadScopeScheduling):
    """The tests of a file stay together, and so do those of the package, which is installed once a session."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "package" if "tests/package/" in f"/{file}" else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    """Instead of xdist's own groups, which it writes where pytest 9.2 no longer reads them."""
    if config.getvalue("dist") != "loadgroup":
        return None
    # By number of tests the longest files would come last, and one process wait for the other.
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Modules with nothing but tests that are left out anyway: their imports take longer than many tests."""
    left_out = "not servers" in config.option.markexpr and collection_path.suffix == ".py"
    return True if left_out and _ONLY_SERVERS.search(collection_path.read_text()) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first where two processes share them."""
    if config.getoption("loadgroup", default=False):
        items.sort(key=lambda item: not _LONG.match(item.path.relative_to(ROOT).as_posix()))
