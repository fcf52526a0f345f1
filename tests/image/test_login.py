"""A login through Keycloak's own page, over TLS with a private authority everywhere, with sessions in a real Redis."""

import base64
import json
import time
from collections.abc import Iterator

import httpx
import pytest
from forgeries import forgeries, unasked_address
from pod import Forks, Pod, Venv
from private_pod import private_pod, serving_again, serving_logins
from realm import OTHERS, Realm
from serving import API, SERVER_SECRETS, Serving, bearer, make_run

from live.servers import Redis

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture(scope="module")
def pod(
    venv: Venv, forks: Forks, realm: Realm, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pod]:
    with private_pod(tmp_path_factory.mktemp("private"), venv=venv, forks=forks, realm=realm, redis=redis) as pod:
        yield pod


@pytest.fixture(scope="module")
def server(pod: Pod, realm: Realm, redis: Redis) -> Iterator[Serving]:
    with serving_logins(pod, realm=realm, redis=redis) as serving:
        yield serving.wait()


@pytest.fixture
def browser(realm: Realm, server: Serving) -> Iterator[httpx.Client]:
    """Somebody who has just logged in, and has created an experiment."""
    with realm.client() as browser:
        browser.base_url = server.url
        realm.log_in(browser, server.url).raise_for_status()
        make_run(browser)
        yield browser


@pytest.fixture(scope="module")
def read_only_server(server: Serving) -> Iterator[Serving]:
    """Another one beside it, read-only and with a log of JSON objects."""
    changes = {"MLFLOW_SSO_READ_ONLY": "true", "MLFLOW_SSO_LOG_FORMAT": "json"}
    with serving_again(server, changes) as serving:
        yield serving.wait()


def test_read_only_server_lets_users_log_in(read_only_server: Serving, realm: Realm) -> None:
    with realm.client() as browser:
        browser.base_url = read_only_server.url
        realm.log_in(browser, read_only_server.url).raise_for_status()

        read = browser.get(f"{API}/experiments/search?max_results=5")
        written = browser.post(f"{API}/experiments/create", json={"name": "refused"})

    assert (read.status_code, written.status_code) == (200, 503), read.text


def test_login_is_audited_without_its_code(read_only_server: Serving, realm: Realm) -> None:
    with realm.client() as browser:
        browser.base_url = read_only_server.url
        realm.log_in(browser, read_only_server.url).raise_for_status()
        browser.get(f"{API}/experiments/search?max_results=5")

    lines = [json.loads(line) for line in read_only_server.log.read_text().splitlines()]
    audits = [line for line in lines if line.get("event") == "audit"]
    callbacks = [line["path"] for line in lines if line.get("event") == "access" and "/callback" in line["path"]]
    assert {(line["action"], line["user"], line["outcome"]) for line in audits} == {
        ("login", "grace@example.com", "done")
    }
    assert callbacks
    assert all("code=***" in path and "state=***" in path for path in callbacks)


def test_login_is_required(server: Serving, browser: httpx.Client) -> None:
    search = f"{API}/experiments/search?max_results=5"

    known, unknown = browser.get(search), httpx.get(f"{server.url}{search}")

    assert known.status_code == 200, known.text
    assert "experiments" in known.json()
    assert "experiments" not in unknown.text


def test_her_artifact_reaches_bucket_and_comes_back(pod: Pod, browser: httpx.Client) -> None:
    run = make_run(browser)
    experiment = browser.get(f"{API}/runs/get?run_id={run}").json()["run"]["info"]["experiment_id"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/note.txt"

    stored, read = browser.put(path, content=b"a note"), browser.get(path)

    assert (stored.status_code, read.content) == (200, b"a note")
    assert pod.bucket.objects() == [f"{experiment}/{run}/artifacts/note.txt"]


@pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)
def test_baseline_keeps_session_in_redis(server: Serving, browser: httpx.Client, redis: Redis) -> None:
    search = f"{API}/experiments/search?max_results=5"
    before = browser.get(search)

    forgotten = redis.command("FLUSHALL")
    after = browser.get(search)

    assert "experiments" in before.text
    assert forgotten == "+OK"
    assert "experiments" not in after.text
    assert list((server.scratch / "session").iterdir()) == []


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_current_release_keeps_session_in_database(pod: Pod, browser: httpx.Client, redis: Redis) -> None:
    search = f"{API}/experiments/search?max_results=5"
    redis.command("FLUSHALL")
    still = browser.get(search)

    pod.database.query("UPDATE auth_sessions SET revoked_at = now() AT TIME ZONE 'UTC'", service="mlflow_auth")
    revoked = browser.get(search)

    assert "experiments" in still.text
    assert "experiments" not in revoked.text


def test_login_gives_session_new_id(realm: Realm, server: Serving) -> None:
    with realm.client() as browser:
        browser.get(f"{server.url}/login")
        # Another could have planted this id before the login (session fixation).
        before = dict(browser.cookies)["session"]
        realm.log_in(browser, server.url).raise_for_status()
        cookie = next(one for one in browser.cookies.jar if one.name == "session")
    stolen = httpx.get(f"{server.url}{API}/experiments/search?max_results=5", cookies={"session": before})

    assert cookie.value != before
    assert "experiments" not in stolen.text
    # ``http.cookiejar`` keeps these names as the server spells them.
    assert cookie.has_nonstandard_attr("HttpOnly") or cookie.has_nonstandard_attr("httponly")
    assert str(cookie.get_nonstandard_attr("SameSite") or cookie.get_nonstandard_attr("samesite")).lower() == "lax"


def test_relogin_ends_session_before(realm: Realm, server: Serving, browser: httpx.Client) -> None:
    before = browser.cookies["session"]

    # Keycloak knows the browser, and leads back without its form.
    browser.get(f"{server.url}/login", follow_redirects=True)

    old = httpx.get(f"{server.url}{API}/experiments/search?max_results=5", cookies={"session": before})
    assert browser.cookies["session"] != before
    assert "experiments" not in old.text


@pytest.mark.parametrize(
    "query",
    [
        # A link could otherwise have a page of MLflow show a stranger's words, such as a number to call.
        "error=x&error_description=call+0900",
        "error=0900&state=0900",
        "state=0900&code=0900",
        "code=0900&error_uri=0900",
    ],
)
def test_failed_callback_repeats_no_words(realm: Realm, server: Serving, query: str) -> None:
    with realm.client() as browser:
        browser.get(f"{server.url}/login")
        answer = browser.get(f"{server.url}/callback?{query}", follow_redirects=True)

    assert answer.status_code == 200
    assert "0900" not in answer.text


def test_callback_with_forged_code_fails_as_page(realm: Realm, server: Serving) -> None:
    with realm.client() as browser:
        login = browser.get(f"{server.url}/login")
        state = httpx.URL(login.headers["location"]).params["state"]
        answer = browser.get(f"{server.url}/callback?code=forged&state={state}", follow_redirects=True)

    assert answer.status_code == 200
    assert "forged" not in answer.text


def test_logs_show_no_code_state_or_token(realm: Realm, server: Serving) -> None:
    with realm.client() as browser:
        login = browser.get(f"{server.url}/login")
        state = httpx.URL(login.headers["location"]).params["state"]
        realm.log_in(browser, server.url).raise_for_status()
    token = realm.tokens()["access_token"]
    bearer(server, token)

    log = server.log.read_text()
    assert "/callback?" in log
    assert f"code={'***'}" in log
    assert state not in log
    assert token.split(".")[1] not in log
    assert "eyJ" not in log


def test_only_access_tokens_for_us_open(realm: Realm, server: Serving, browser: httpx.Client) -> None:
    ours, others = realm.tokens(), realm.tokens(client=OTHERS)

    accepted = bearer(server, ours["access_token"])
    refused = [
        bearer(server, token)
        for token in (ours["id_token"], ours["refresh_token"], others["access_token"], others["id_token"])
    ]

    assert accepted.status_code == 200, accepted.text
    assert [answer.status_code for answer in refused] == [401] * 4
    assert all(answer.json() for answer in refused)


@pytest.mark.parametrize("user", ["mallory", "tess", "ada"])
def test_tokens_of_strangers_are_refused(realm: Realm, server: Serving, user: str, venv: Venv) -> None:
    answer = bearer(server, realm.tokens(user)["access_token"])

    provisioned = user == "ada" and venv.release == "3.17.2"
    assert answer.status_code == (200 if provisioned else 401), answer.text


def test_broken_credentials_are_refused_with_line(realm: Realm, server: Serving, browser: httpx.Client) -> None:
    basic = base64.b64encode(b"a\x00b@example.com:x\x00").decode()
    headers = [
        "Bearer x",
        "Bearer a=b",
        "Bearer",
        "Negotiate abc",
        "Digest username=x",
        "x",
        "Basic !!!",
        f"Basic {basic}",
    ]

    answers = [
        httpx.get(f"{server.url}{API}/experiments/search?max_results=5", headers={"Authorization": header}, timeout=60)
        for header in headers
    ]

    assert [answer.status_code for answer in answers] == [401] * len(headers)
    assert all(len(answer.text.strip().splitlines()) == 1 for answer in answers)


def test_forged_tokens_are_refused(realm: Realm, server: Serving, browser: httpx.Client) -> None:
    token, secret = realm.tokens()["access_token"], SERVER_SECRETS["oidc/OIDC_CLIENT_SECRET"]
    with unasked_address() as url:
        forged = forgeries(token, public_key=realm.public_key, client_secret=secret, keys_url=url)

        answers = {name: bearer(server, one) for name, one in forged.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(forged, 401)
    assert all(len(answer.text.strip().splitlines()) == 1 for answer in answers.values())
    assert bearer(server, token).status_code == 200


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_machines_come_without_administrator(realm: Realm, server: Serving) -> None:
    assert bearer(server, realm.machine_token()).status_code == 200


@pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)
def test_unknown_machines_are_told_so(realm: Realm, server: Serving) -> None:
    answer = bearer(server, realm.machine_token())

    assert answer.status_code == 401
    assert "not known" in answer.json()["message"]


def test_expired_token_is_refused(realm: Realm, server: Serving, browser: httpx.Client) -> None:
    token = realm.tokens(client="short")["access_token"]
    fresh = bearer(server, token)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    time.sleep(max(0.0, claims["exp"] - time.time()) + 1)

    assert (fresh.status_code, bearer(server, token).status_code) == (200, 401)


@pytest.mark.parametrize("user", ["mallory", "tess"])
def test_members_of_namesakes_may_not_log_in(realm: Realm, server: Serving, user: str) -> None:
    with realm.client() as browser:
        page = realm.log_in(browser, server.url, user)
        answer = browser.get(f"{server.url}{API}/experiments/search?max_results=5")

    assert page.status_code == 200
    assert "experiments" not in answer.text


def test_realms_own_administrators_administer(pod: Pod, realm: Realm, server: Serving) -> None:
    with realm.client() as browser:
        realm.log_in(browser, server.url, "ada").raise_for_status()

    query = "SELECT username, is_admin FROM users WHERE username IN ('ada@example.com', 'mallory@example.com')"
    assert pod.database.query(query, service="mlflow_auth") == [("ada@example.com", True)]
