"""A user is the same in every spelling of the name: at the login, with a key, with a token, and in grants."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pod import Pod, Venv
from realm import Realm
from serving import API, Serving, bearer, make_users

pytestmark = pytest.mark.servers

TYPED = "Grace@Example.COM"


@pytest.fixture(scope="module")
def pod(migrated_once: Pod, tmp_path_factory: pytest.TempPathFactory) -> Pod:
    folder: Path = tmp_path_factory.mktemp("names")
    return migrated_once.copy(folder)


@pytest.fixture(scope="module")
def keys(pod: Pod) -> dict[str, str]:
    """Keys of an administrator and of a member."""
    keys = make_users(pod, "anna", "bert")
    pod.database.query("UPDATE users SET is_admin = true WHERE username = 'anna@example.com'", service="mlflow_auth")
    return keys


@pytest.fixture(scope="module")
def server(pod: Pod, realm: Realm) -> Iterator[Serving]:
    with realm.serving(pod) as serving:
        yield serving.wait()


@pytest.fixture
def anna(server: Serving, keys: dict[str, str]) -> Iterator[httpx.Client]:
    with server.client("anna", keys["anna"]) as client:
        yield client


def users_path(venv: Venv) -> str:
    return f"{API}/permissions/users" if venv.release == "3.6.0" else f"{API}/users"


def test_login_in_capitals_is_the_same_user(realm: Realm, server: Serving, pod: Pod) -> None:
    with realm.client() as browser, realm.addresses_spelt(TYPED):
        page = realm.log_in(browser, server.url, user="Grace@EXAMPLE.com")
        token = realm.tokens()["access_token"]
    answer = bearer(server, token)

    names = pod.database.query("SELECT username FROM users WHERE username ILIKE 'grace@%%'", service="mlflow_auth")
    assert (page.status_code, answer.status_code) == (200, 200), answer.text
    assert names == [("grace@example.com",)]


def test_key_opens_in_every_spelling(server: Serving, keys: dict[str, str]) -> None:
    answers = [
        httpx.get(f"{server.url}{API}/experiments/search?max_results=1", auth=(name, keys["bert"]), timeout=60)
        for name in ("Bert@Example.com", "BERT@EXAMPLE.COM", "bert@example.com")
    ]

    assert [answer.status_code for answer in answers] == [200] * 3


def test_grants_take_every_spelling(anna: httpx.Client, server: Serving, keys: dict[str, str]) -> None:
    created = anna.post(f"{API}/experiments/create", json={"name": "spelt"}).raise_for_status().json()
    grant = f"{API}/permissions/users/Bert@Example.COM/experiments/{created['experiment_id']}"
    asked = f"{server.url}{API}/experiments/get?experiment_id={created['experiment_id']}"

    answers = [
        anna.post(grant, json={"permission": "READ"}),
        anna.get(grant),
        httpx.get(asked, auth=("bert@example.com", keys["bert"]), timeout=60),
        anna.patch(grant, json={"permission": "EDIT"}),
        anna.delete(grant),
    ]

    assert [answer.status_code // 100 for answer in answers] == [2] * 5, [answer.text for answer in answers]


def test_own_lists_are_own_in_every_spelling(server: Serving, anna: httpx.Client, keys: dict[str, str]) -> None:
    created = anna.post(f"{API}/experiments/create", json={"name": "listed"}).raise_for_status().json()
    granted = f"{API}/permissions/users/bert@example.com/experiments/{created['experiment_id']}"
    anna.post(granted, json={"permission": "READ"}).raise_for_status()

    with server.client("bert", keys["bert"]) as bert:
        lists = [
            bert.get(f"{API}/permissions/users/{name}@example.com/experiments").json() for name in ("bert", "Bert")
        ]

    assert "listed" in str(lists[0])
    assert lists[0] == lists[1]


def test_service_account_in_capitals_gets_in(anna: httpx.Client, server: Serving, venv: Venv, realm: Realm) -> None:
    account = {"username": "CI-Bot@Example.com", "display_name": "CI", "is_admin": False, "is_service_account": True}
    create = f"{API}/users/create" if venv.release == "3.6.0" else f"{API}/users"
    expiration = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    anna.post(create, json=account).raise_for_status()
    with realm.client() as browser:
        # Release 3.17.2 lets only a login create a key.
        realm.log_in(browser, server.url, user="ada").raise_for_status()
        key = browser.patch(
            f"{server.url}{users_path(venv)}/access-token",
            json={"username": "CI-BOT@example.com", "expiration": expiration},
        )

    answers = [
        httpx.get(f"{server.url}{API}/experiments/search?max_results=1", auth=(name, key.json()["token"]), timeout=60)
        for name in ("CI-Bot@Example.com", "ci-bot@example.com")
    ]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_own_key_is_created_in_every_spelling(realm: Realm, server: Serving, venv: Venv) -> None:
    expiration = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    with realm.client() as browser:
        realm.log_in(browser, server.url).raise_for_status()
        answer = browser.patch(
            f"{server.url}{users_path(venv)}/access-token", json={"username": TYPED, "expiration": expiration}
        )

    assert answer.status_code == 200, answer.text


def test_migration_folds_names_kept_in_capitals(migrated_pod: Pod) -> None:
    make_users(migrated_pod, "old", "twin", "other")
    # The second has a twin in small letters, so its name cannot be folded.
    for before, after in (("old", "Old"), ("other", "TWIN")):
        renamed = "UPDATE users SET username = %s WHERE username = %s"
        migrated_pod.database.query(renamed, f"{after}@example.com", f"{before}@example.com", service="mlflow_auth")

    done = migrated_pod.migrate()

    names = migrated_pod.database.query("SELECT username FROM users ORDER BY id", service="mlflow_auth")
    assert done.code == 0, done.stderr
    assert names == [("old@example.com",), ("twin@example.com",), ("TWIN@example.com",)]
    assert [line["user"] for line in done.progress if "user" in line] == ["Old@example.com", "TWIN@example.com"]
