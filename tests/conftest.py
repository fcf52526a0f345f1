"""How `make test` divides the tests between processes, and which tests and modules a run leaves out."""

import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from depth import IS_CHANGE
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
    """Without what a change need not try, and the longest files first where two processes share them."""
    if IS_CHANGE:
        left_out = {item for item in items if item.get_closest_marker("nightly")} | set(_of_other_release(items))
        # A suite asks for no markers: what bears none of these was tried by `make test` before.
        if not config.option.markexpr:
            left_out |= {item for item in items if not any(map(item.get_closest_marker, ("servers", "downloads")))}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    if config.getoption("loadgroup", default=False):
        items.sort(key=lambda item: not _LONG.match(item.path.relative_to(ROOT).as_posix()))


def _of_other_release(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Of each test that any release may stand for, those of all releases but one, which is another for another file."""
    releases: dict[Any, dict[str, list[pytest.Item]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        if item.get_closest_marker("either_release") and item.get_closest_marker("servers"):
            releases[item.path, getattr(item, "originalname", item.name)][_release(item)].append(item)
    for (path, _), tests in releases.items():
        # A number that stays the same, which Python's own hash of a text does not.
        chosen = sorted(tests)[zlib.crc32(path.name.encode()) % len(tests)]
        yield from (item for release, of_release in tests.items() if release != chosen for item in of_release)


def _release(item: pytest.Item) -> str:
    """The release, or the environment with it, that the test is for; empty if it is for all."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return str(next((parameters[name] for name in ("venv", "release", "deployment") if name in parameters), ""))
