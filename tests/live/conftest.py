"""The whole system on a Kubernetes node, for tests that use it as people do.

``system`` is an environment of its own for each release, once a session, on one ``node`` between backing services that
all share; a test that asks for it runs for both. LIVE_RELEASES=3.6.0 limits the session to one. What a test does to its
users, runs and permissions stays, so it creates its own: ``new_user`` gives a user of the group of users with a name
that no other has.

A test that breaks things, or wants other settings, takes ``make_system`` and gets realm, databases, bucket and pods of
its own: ``make_system(release, **{"server.replicas": 2})``. It is stopped at the end of the test.

``replicated`` is the same system with two pods.

``WebSession`` (web_session.py) logs in without a browser and creates access keys. ``person`` is a user at a real
browser (browser_user.py), which trusts the node's authority.

``record_property("table", text)`` has ``text`` printed at the end.
"""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from rendered_environments import HOSTS, KEYCLOAK_HOST, MOVED_KEYCLOAK, rendered, rendered_again

from live.node.backing import BackingServices
from live.node.node import Node
from live.node.site import running_site
from live.users import User
from testbed.node.second_database import HOST as SECOND_DATABASE
from testbed.system import System

if TYPE_CHECKING:
    from browser_user import BrowserUser
    from playwright.sync_api import Browser

# `make test` starts no browser, and needs nothing of what the tests with real servers install.
collect_ignore_glob = [] if find_spec("playwright") else ["test_browser_*.py"]

RELEASES = os.environ.get("LIVE_RELEASES", "3.6.0 3.17.2").split()
_numbers = itertools.count(1)
_systems = itertools.count(1)


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
def backing(tmp_path_factory: pytest.TempPathFactory) -> BackingServices:
    """The real servers around MLflow; they run while ``node`` does."""
    folder = tmp_path_factory.mktemp("backing")
    # PostgreSQL runs as a user of its own, which has to pass through.
    folder.chmod(0o711)
    hosts = [*HOSTS, MOVED_KEYCLOAK, SECOND_DATABASE]
    return BackingServices.create(folder, hosts=hosts, keycloak_host=KEYCLOAK_HOST)


@pytest.fixture(scope="session")
def node(backing: BackingServices) -> Iterator[Node]:
    """The node with everything attached."""
    node = Node(names=[KEYCLOAK_HOST, MOVED_KEYCLOAK, *HOSTS])
    with running_site(node, backing):
        yield node


@pytest.fixture(scope="session")
def new_system(node: Node, backing: BackingServices, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., System]:
    """Renders systems that are not started yet, each with the name of its environment."""

    def render(release: str, label: str, **changes: Any) -> System:
        folder = tmp_path_factory.mktemp(f"system-{label}")
        environment = rendered(
            label, folder, backing=backing, release=release, https_port=node.https_port, changes=changes
        )
        return System(environment, node=node)

    return render


@pytest.fixture(scope="session")
def systems(new_system: Callable[..., System]) -> Mapping[str, System]:
    """The system of each release, all of them started at once."""
    made = {release: new_system(release, f"r{release.replace('.', '')}") for release in RELEASES}
    with ThreadPoolExecutor(len(made)) as threads:
        list(threads.map(System.start, made.values()))
    return made


@pytest.fixture(scope="session")
def system(release: str, systems: Mapping[str, System]) -> System:
    """The system of each release in turn, shared by all tests of the session."""
    return systems[release]


@pytest.fixture(scope="session")
def all_replicated(systems: Mapping[str, System], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, System]:
    """Those of all releases with two pods from now on."""
    for system in systems.values():
        folder = tmp_path_factory.mktemp(f"replicated-{system.environment.name}")
        # The bootstrap has no part in it.
        system.take(rendered_again(system, folder, changes={"server.replicas": 2}))
    with ThreadPoolExecutor(len(systems)) as threads:
        list(threads.map(System.deliver, systems.values()))
    return systems


@pytest.fixture(scope="session")
def replicated(release: str, all_replicated: Mapping[str, System]) -> System:
    """That of each release in turn."""
    return all_replicated[release]


@pytest.fixture
def make_system(new_system: Callable[..., System]) -> Iterator[Callable[..., System]]:
    """Starts systems of the test's own."""
    with ExitStack() as stack:
        yield lambda release, **changes: stack.enter_context(new_system(release, f"own{next(_systems)}", **changes))


@pytest.fixture
def new_user(system: System) -> User:
    """A user of the group of users."""
    user = User(name=f"user{next(_numbers)}", group=system.settings.authentication.user_group)
    system.add_users(user)
    return user


@pytest.fixture(scope="module")
def browser(backing: BackingServices, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Browser]":
    """Chromium; for one module only, because playwright keeps an event loop in the thread as long as it runs."""
    # `make test` collects this file without playwright.
    from testbed.browser import chromium

    with chromium(tmp_path_factory.mktemp("chromium"), ca=backing.certificate.ca) as running:
        yield running


@pytest.fixture
def person(browser: "Browser", system: System) -> "Iterator[BrowserUser]":
    """Somebody at a fresh window, who has never been here."""
    from browser_user import BrowserUser

    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        yield BrowserUser(system=system, page=context.new_page())
