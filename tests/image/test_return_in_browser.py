"""In Chromium: a login leads back to what follows ``#`` in an address, which no browser sends to a server."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pod import Pod
from realm import Realm
from serving import Serving

from testbed.browser import chromium

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

PATIENCE = 90_000
"""Milliseconds, on a loaded machine."""


@pytest.fixture(scope="module", params=["false", "true"], ids=["by a button", "at once"])
def server(
    request: pytest.FixtureRequest, migrated_once: Pod, realm: Realm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    pod = migrated_once.copy(tmp_path_factory.mktemp("fragments"))
    with realm.serving(pod, AUTOMATIC_LOGIN_REDIRECT=request.param) as serving:
        yield serving.wait()


@pytest.fixture(scope="module")
def browser(realm: Realm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """For one module only, because playwright keeps an event loop in the thread as long as it runs."""
    with chromium(tmp_path_factory.mktemp("chromium"), ca=realm.keycloak.certificate.ca) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh window."""
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        yield page


def follow_login(page: Page, server: Serving) -> None:
    """To Keycloak's page, which opens by itself or by a button."""
    if server.pod.settings["AUTOMATIC_LOGIN_REDIRECT"] == "false":
        page.locator("#login").click()


def sign_in(page: Page, realm: Realm) -> None:
    """Fill in Keycloak's page."""
    page.locator("input#username").fill("grace")
    page.locator("input#password").fill(realm.password)
    page.locator("#kc-login").click()


@pytest.mark.parametrize("address", ["/#/models", "/?workspace=x#/models"])
def test_login_leads_back_to_fragment(realm: Realm, server: Serving, page: Page, address: str) -> None:
    # Where the login opens by itself, the page leaves before it counts as loaded.
    page.goto(f"{server.url}{address}", wait_until="commit")
    follow_login(page, server)
    sign_in(page, realm)

    page.wait_for_url(f"{server.url}/**#/models*")
    expect(page.get_by_text("Registered Models").first).to_be_visible(timeout=PATIENCE)


def test_login_of_foreign_fragment_stays_here(realm: Realm, server: Serving, page: Page) -> None:
    # An address that begins with two slashes is one of another host.
    page.goto(f"{server.url}/#//evil.example/", wait_until="commit")
    follow_login(page, server)
    sign_in(page, realm)

    page.wait_for_url(f"{server.url}/**")
    assert page.evaluate("location.origin") == server.url


@pytest.mark.parametrize("server", ["false"], indirect=True, ids=["by a button"])
def test_login_follows_last_fragment(realm: Realm, server: Serving, page: Page) -> None:
    page.goto(f"{server.url}/#/experiments", wait_until="commit")
    page.locator("#login").wait_for()
    page.evaluate("location.hash = '#/models'")
    follow_login(page, server)
    sign_in(page, realm)

    page.wait_for_url(f"{server.url}/**#/models*")
