"""The whole system, for tests that use it as people do.

``system`` is the environment ``local`` on free ports, once a session for each release, between ``neighbours`` that all
share; a test that asks for it runs for both. LIVE_RELEASES=3.6.0 limits the session to one. What a test does to its
users, runs and permissions stays, so it makes its own: ``new_user`` gives a user of the group of users with a name
that nobody else has.

A test that breaks things, or wants other settings, takes ``make_system`` and gets realm, databases, bucket and pods of
its own: ``make_system(release, **{"server.replicas": 2})``. It is stopped at the end of the test.

``replicated`` is the same system with two pods; tests of life break its neighbours, and mend them.

``Visitor`` (visitor.py) logs in without a browser and makes access keys. ``person`` is somebody at a real browser
(person.py), which trusts ``system.ca``.

``record_property("table", text)`` has ``text`` printed at the end, whichever process has run the test.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from by_release import ByRelease

from live.neighbours import Neighbours
from live.rendering import Rendering, free_addresses, own_names
from live.system import System
from live.users import User

if TYPE_CHECKING:
    from person import Person
    from playwright.sync_api import Browser

# `make test` starts no browser, and needs nothing of what the tests with real servers install.
collect_ignore_glob = [] if find_spec("playwright") else ["test_browser_*.py"]

RELEASES = os.environ.get("LIVE_RELEASES", "3.6.0 3.17.2").split()
_numbers = itertools.count(1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRelease:
    """Keep each release's tests together."""
    return ByRelease(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have recorded as ``table``."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "table":
                terminalreporter.write_line(f"\n{value}")


@pytest.fixture(scope="session", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Each release in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def addresses() -> dict[str, Any]:
    """Where the neighbours are, as changes of the settings."""
    return free_addresses()


@pytest.fixture(scope="session")
def neighbours(addresses: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """The real servers around MLflow."""
    folder = tmp_path_factory.mktemp("neighbours")
    rendering = Rendering.copy(folder / "rendering", release=RELEASES[0], changes=addresses)
    with Neighbours.of(rendering.settings, folder=folder) as running:
        yield running


@pytest.fixture(scope="session")
def new_system(
    neighbours: Neighbours, addresses: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., System]:
    """Makes systems that are not started yet; ``label`` names what they have at the neighbours."""

    def make(release: str, label: str, **changes: Any) -> System:
        folder = tmp_path_factory.mktemp(f"system-{label}")
        own = {"ingress.public_port": free_addresses()["ingress.public_port"], **own_names(label)}
        rendering = Rendering.copy(folder / "rendering", release=release, changes={**addresses, **own, **changes})
        return System(rendering, neighbours, folder=folder)

    return make


@pytest.fixture(scope="session")
def system(release: str, new_system: Callable[..., System]) -> Iterator[System]:
    """The system of each release, shared by all tests of the session."""
    with new_system(release, f"r{release.replace('.', '')}") as running:
        yield running


@pytest.fixture(scope="session")
def replicated(system: System) -> System:
    """The same with two pods from now on."""
    system.cluster.deployment.scale(2)
    return system


@pytest.fixture
def make_system(new_system: Callable[..., System]) -> Iterator[Callable[..., System]]:
    """Starts systems of the test's own."""
    with ExitStack() as stack:
        yield lambda release, **changes: stack.enter_context(new_system(release, f"own{next(_numbers)}", **changes))


@pytest.fixture
def new_user(system: System) -> User:
    """A user of the group of users."""
    user = User(name=f"user{next(_numbers)}", group=system.settings.authentication.user_group)
    system.add_users(user)
    return user


@pytest.fixture(scope="module")
def browser(neighbours: Neighbours, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Browser]":
    """Chromium; for a module alone, because playwright keeps an event loop in the thread as long as it runs."""
    from live.browser import chromium

    with chromium(tmp_path_factory.mktemp("chromium"), ca=neighbours.certificate.ca) as running:
        yield running


@pytest.fixture
def person(browser: "Browser", system: System) -> "Iterator[Person]":
    """Somebody at a fresh window, who has never been here."""
    from person import Person

    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        yield Person(system=system, page=context.new_page())
