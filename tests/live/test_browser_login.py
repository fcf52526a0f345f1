"""In a real browser, on both releases: who gets in by Keycloak's page, for how long, and how they leave."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from urllib.parse import urlencode

import pytest
from browser_user import PATIENCE, BrowserUser
from permission_rows import REFUSED
from playwright.sync_api import Browser, expect

from live.users import User
from testbed.system import System

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

TOKEN_LIFE = "access.token.lifespan"
EXPERIMENTS = "/api/2.0/mlflow/experiments/search?max_results=5"


LoggedIn = Callable[[str], BrowserUser]


@pytest.fixture(scope="module")
def logged_in(browser: Browser, system: System) -> Iterator[LoggedIn]:
    """One of the first users at a window that all tests of this module share, which change nothing of it."""
    with ExitStack() as stack:

        @cache
        def window(name: str) -> BrowserUser:
            person = BrowserUser(system=system, page=stack.enter_context(browser.new_context()).new_page())
            person.log_in(system.users[name])
            return person

        yield window


@pytest.fixture
def short_tokens(system: System) -> Iterator[None]:
    """Keycloak's access tokens live for one second."""
    administration = system.realm.administration
    number = administration.get_client_id(system.settings.authentication.client_id)

    def live_for(seconds: str) -> None:
        client = administration.get_client(number)
        administration.update_client(number, {**client, "attributes": {**client["attributes"], TOKEN_LIFE: seconds}})

    live_for("1")
    yield
    # An empty text deletes the attribute, and the realm's own value holds again.
    live_for("")


@pytest.mark.parametrize(("name", "is_admin"), [("admin", True), ("user", False)])
def test_browser_login_gives_each_member_their_rights(
    system: System, logged_in: LoggedIn, name: str, is_admin: bool
) -> None:
    known = logged_in(name).whoami()

    assert system.settings.authentication.land_on_permissions
    assert (known["username"], known["is_admin"]) == (f"{name}@example.com", is_admin)


def test_cookies_go_over_https_and_to_no_script(system: System, logged_in: LoggedIn) -> None:
    page, host = logged_in("user").page, system.settings.ingress.host

    cookies = [one for one in page.context.cookies() if one["domain"].lstrip(".") == host]

    assert "session" in {one["name"] for one in cookies}
    assert [one for one in cookies if not (one["secure"] and one["httpOnly"] and one["sameSite"] == "Lax")] == []
    assert page.evaluate("document.cookie") == ""


def test_browser_login_tells_unauthorized_users_why(system: System, person: BrowserUser) -> None:
    person.sign_in(system.users["outsider"])

    expect(person.page.get_by_text("User is not allowed to login")).to_be_visible(timeout=PATIENCE)
    expect(person.page.get_by_text("Keycloak")).to_be_visible(timeout=PATIENCE)
    assert '"experiments"' not in person.fetch(EXPERIMENTS)[1]


@pytest.mark.usefixtures("short_tokens")
def test_session_outlives_its_first_access_token(new_user: User, person: BrowserUser) -> None:
    person.log_in(new_user)
    begin = person.page.evaluate("Date.now()")

    # Three lives of a token.
    person.page.wait_for_function("begin => Date.now() > begin + 3000", arg=begin)
    status, text = person.fetch(EXPERIMENTS)
    person.page.reload()

    assert (status, text[:1]) == (200, "{")
    expect(person.page.get_by_text("Experiments").first).to_be_visible(timeout=PATIENCE)
    assert person.whoami()["username"] == new_user.email


def test_login_serves_another_application_without_password(system: System, new_user: User, person: BrowserUser) -> None:
    person.log_in(new_user)

    person.page.goto(f"{system.settings.authentication.issuer}/account/")

    expect(person.page.get_by_text("Personal info").first).to_be_visible(timeout=PATIENCE)


def test_a_logout_ends_the_session_at_keycloak_too(system: System, new_user: User, person: BrowserUser) -> None:
    person.log_in(new_user)
    administration = system.realm.administration
    number = administration.get_user_id(new_user.name)
    before = administration.get_sessions(number)

    person.open("/logout")

    person.page.wait_for_url(f"{system.url}/**")
    expect(person.page.get_by_text("Keycloak")).to_be_visible(timeout=PATIENCE)
    assert (len(before), administration.get_sessions(number)) == (1, [])
    person.open("/login")
    expect(person.password_field).to_be_visible(timeout=PATIENCE)


def test_keycloak_refuses_redirects_to_other_addresses(system: System, person: BrowserUser) -> None:
    asked = {
        "client_id": system.settings.authentication.client_id,
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": f"{system.url}/callback/elsewhere",
    }

    person.page.goto(f"{system.settings.authentication.issuer}/protocol/openid-connect/auth?{urlencode(asked)}")

    expect(person.page.get_by_text("Invalid parameter: redirect_uri")).to_be_visible(timeout=PATIENCE)
    expect(person.password_field).to_have_count(0)


def test_a_stranger_sees_the_login_and_no_data(system: System, person: BrowserUser) -> None:
    person.open("/")

    expect(person.page.get_by_text("Keycloak")).to_be_visible(timeout=PATIENCE)
    # The page of the login lets no script ask for anything.
    answer = person.page.goto(f"{system.url}{EXPERIMENTS}")
    assert answer
    # One release refuses, the other shows its page of login.
    assert (answer.status, "Log in to MLflow" in answer.text()) in [(401, False), (200, True)]
    assert '"experiments"' not in answer.text()


def test_metrics_are_refused_to_the_public(logged_in: LoggedIn) -> None:
    status, text = logged_in("admin").fetch("/metrics")

    assert status == 403
    assert "mlflow_http_request" not in text


def test_refused_routes_are_refused_to_administrators(system: System, logged_in: LoggedIn) -> None:
    refused = REFUSED[system.settings.release]

    statuses = [logged_in("admin").fetch(path)[0] for path in refused]

    assert statuses == [403] * len(refused)
