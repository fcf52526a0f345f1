"""When a browser's session ends: by its age, at Keycloak, and what of Keycloak's offline sessions outlives a leaver."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
from pod import Pod
from realm import GROUP, NAME, Realm
from serving import API, AS_SERVER, SERVER_SECRETS, Serving, bearer
from test_end_access import mount_directory

pytestmark = pytest.mark.servers

SEARCH = f"{API}/experiments/search?max_results=5"
HOUR = {
    "PERMANENT_SESSION_LIFETIME": "3600",
    "SESSION_COOKIE_MAX_AGE_SECONDS": "3600",
    "OIDC_USE_REFRESH_TOKEN": "true",
}
"""The least that ``session_hours`` allows, for either release."""

AGE_FILE = """
import sys
from cachelib.file import FileSystemCache
folder, key, seconds = sys.argv[1:]
cache = FileSystemCache(folder, threshold=10_000)
session = cache.get(key)
cache.set(key, session | {"mlflow_sso_login_time": session["mlflow_sso_login_time"] - int(seconds)}, timeout=7200)
"""

END_TOKEN = f"""{AS_SERVER}
from dataclasses import replace
from mlflow_oidc_auth.db.models import SqlAuthSession
from mlflow_oidc_auth.session.token_vault import get_token_vault
from mlflow_oidc_auth.store import store
with store.ManagedSessionMaker(read_only=False) as session:
    row = session.query(SqlAuthSession).order_by(SqlAuthSession.id.desc()).first()
    tokens = get_token_vault().decrypt(row.encrypted_tokens)
    row.encrypted_tokens = get_token_vault().encrypt(replace(tokens, expires_at=1))
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A server with sessions of an hour, and a user of the realm."""

    realm: Realm
    server: Serving
    user: str
    user_id: str

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        with self.realm.client() as browser:
            browser.base_url = self.server.url
            self.realm.log_in(browser, self.server.url, self.user).raise_for_status()
            yield browser

    def age(self, browser: httpx.Client, seconds: int) -> None:
        """Let the session have begun earlier."""
        if self.server.pod.venv.release == "3.6.0":
            folder, key = str(self.server.scratch / "session"), f"mlflow_oidc:{browser.cookies['session']}"
            done = self.server.pod.script(AGE_FILE, folder, key, str(seconds))
            assert done.code == 0, done.stderr
        else:
            query = "UPDATE auth_sessions SET expires_at = expires_at - %s * interval '1 second'"
            self.server.pod.database.query(query, seconds, service="mlflow_auth")

    def end_token(self) -> None:
        """Let the access token of the latest session have ended."""
        done = self.server.pod.script(END_TOKEN, str(self.server.pod.secrets_root))
        assert done.code == 0, done.stderr

    def log_out_at_keycloak(self) -> None:
        with self.realm.administrator() as admin:
            admin.post(f"/admin/realms/{NAME}/users/{self.user_id}/logout").raise_for_status()

    def end_access(self) -> None:
        done = self.server.pod.run("end-access")
        assert done.code == 0, done.stderr

    def ask_keycloak(self, **form: str) -> httpx.Response:
        """Its endpoint of tokens, as the client ``mlflow``."""
        client = {"client_id": "mlflow", "client_secret": SERVER_SECRETS["oidc/OIDC_CLIENT_SECRET"]}
        with self.realm.client() as http:
            return http.post(
                f"{self.realm.keycloak.url}/realms/{NAME}/protocol/openid-connect/token", data=client | form
            )


def inside(browser: httpx.Client) -> bool:
    """Whether a browser is logged in: otherwise it gets the login page, or 401."""
    answer = browser.get(SEARCH)
    return answer.status_code == 200 and answer.headers["content-type"].startswith("application/json")


@pytest.fixture(scope="module")
def server(migrated_once: Pod, realm: Realm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with realm.serving(migrated_once.copy(tmp_path_factory.mktemp("sessions")), **HOUR) as server:
        (server.pod.secrets_root / "ca/ca.crt").unlink()
        (server.pod.secrets_root / "ca").rmdir()
        mount_directory(server.pod, realm)
        yield server.wait()


@pytest.fixture
def place(server: Serving, realm: Realm) -> Iterator[Place]:
    user = f"p{secrets.token_hex(6)}"
    user_id = realm.add_user(user, f"/{GROUP}")
    yield Place(realm=realm, server=server, user=user, user_id=user_id)
    realm.delete_user(user_id)


def test_session_ends_with_its_hours_though_used(place: Place) -> None:
    with place.browser() as browser:
        place.age(browser, 3_400)
        before = [inside(browser) for _ in range(3)]
        place.age(browser, 300)
        after = inside(browser)
    with place.browser() as browser:
        again = inside(browser)

    assert (before, after, again) == ([True] * 3, False, True)


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_keycloaks_logout_ends_session_with_token(place: Place) -> None:
    with place.browser() as browser:
        place.end_token()
        renewed = inside(browser)
        place.log_out_at_keycloak()
        at_once = inside(browser)
        place.end_token()
        later = inside(browser)

    assert (renewed, at_once, later) == (True, True, False)


@pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)
def test_keycloaks_logout_leaves_session_until_disabled(place: Place) -> None:
    with place.browser() as browser:
        place.log_out_at_keycloak()
        place.end_access()
        logged_out = inside(browser)
        place.realm.change_user(place.user_id, enabled=False)
        place.end_access()
        disabled = inside(browser)

    assert (logged_out, disabled) == (True, False)


def test_offline_tokens_outlive_no_leaver(place: Place) -> None:
    # given
    login = {"grant_type": "password", "username": place.user, "password": place.realm.password}
    offline = place.ask_keycloak(**login, scope="openid offline_access").raise_for_status().json()["refresh_token"]
    renew = {"grant_type": "refresh_token", "refresh_token": offline}
    with place.browser() as browser:
        assert inside(browser)
    as_token = bearer(place.server, offline)
    before = bearer(place.server, place.ask_keycloak(**renew).raise_for_status().json()["access_token"])

    # when
    place.realm.leave_groups(place.user_id)
    ungrouped = bearer(place.server, place.ask_keycloak(**renew).raise_for_status().json()["access_token"])
    place.realm.change_user(place.user_id, enabled=False)
    disabled = place.ask_keycloak(**renew)

    # then
    assert (as_token.status_code, before.status_code, ungrouped.status_code) == (401, 200, 401)
    assert disabled.status_code == 400, disabled.text


@pytest.fixture
def incomplete_profiles(realm: Realm) -> Iterator[None]:
    """Keycloak asks no user for what the profile lacks."""
    with realm.administrator() as admin:
        url = f"/admin/realms/{NAME}/authentication/required-actions/VERIFY_PROFILE"
        found = admin.get(url).json()
        admin.put(url, json=found | {"enabled": False}).raise_for_status()
    yield
    with realm.administrator() as admin:
        admin.put(url, content=json.dumps(found), headers={"Content-Type": "application/json"}).raise_for_status()


LINES = {"3.6.0": "No email provided in OIDC userinfo", "3.17.2": "No username provided in OIDC userinfo"}


def test_login_without_email_says_so(place: Place, incomplete_profiles: None) -> None:
    place.realm.change_user(place.user_id, email="")

    with place.realm.client() as browser:
        page = place.realm.log_in(browser, place.server.url, place.user)
        browser.base_url = place.server.url
        entered = inside(browser)

    assert (page.status_code, entered) == (200, False)
    assert LINES[place.server.pod.venv.release] in f"{page.text} {page.url}".replace("+", " ")


def test_login_without_name_fails_with_line_at_most(place: Place, incomplete_profiles: None) -> None:
    place.realm.change_user(place.user_id, firstName="", lastName="")

    with place.realm.client() as browser:
        page = place.realm.log_in(browser, place.server.url, place.user)
        browser.base_url = place.server.url
        entered = inside(browser)

    named = "No display name provided" in page.text
    assert (page.status_code, entered, named) == (200, place.server.pod.venv.release == "3.17.2", not entered)
