"""Access keys of release 3.6.0, and the memory of those that were right: quick for them, and of no use to others."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from serving import API, AS_SERVER, Serving, Site, bearer, make_run, make_users

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)]

WRONG_KEYS_AT_ONCE = """
import json, threading, time
from concurrent.futures import ThreadPoolExecutor
from werkzeug.security import check_password_hash, generate_password_hash
from mlflow_sso.patches.access_keys import VerifiedKeys
from mlflow_sso.patches.key_checks import KeyChecksBusyError
lock, running, most = threading.Lock(), 0, 0
def counted(stored, password):
    global running, most
    with lock:
        running += 1
        most = max(most, running)
    try:
        return check_password_hash(stored, password)
    finally:
        with lock:
            running -= 1
keys = VerifiedKeys(counted)
stored = [generate_password_hash(f"the key {number}") for number in range(4)]
def tried(number):
    started = time.perf_counter()
    try:
        answer = keys(stored[number % 4], f"wrong {number}")
    except KeyChecksBusyError:
        answer = "busy"
    return answer, time.perf_counter() - started
with ThreadPoolExecutor(64) as pool:
    tries = list(pool.map(tried, range(64)))
time.sleep(1)
rights = [keys(one, f"the key {number}") for number, one in enumerate(stored)]
answers = [answer for answer, _ in tries]
print(json.dumps({
    "most": most, "accepted": answers.count(True), "busy": answers.count("busy"), "right": rights,
    "slowest": max(seconds for answer, seconds in tries if answer == "busy"),
}))
"""

MEMORY = """
import json
from werkzeug.security import check_password_hash, generate_password_hash
from mlflow_sso.patches import access_keys
calls = []
def counted(stored, password):
    calls.append(password)
    return check_password_hash(stored, password)
keys, stored = access_keys.VerifiedKeys(counted, remembered=2), generate_password_hash("a", method="pbkdf2:sha256:1")
other = generate_password_hash("a", method="pbkdf2:sha256:1")
answers = [keys(stored, "a"), keys(stored, "a"), keys(stored, "b"), keys(stored, "b"), keys(other, "a")]
third = generate_password_hash("a", method="pbkdf2:sha256:1")
keys(third, "a"), keys(stored, "a")
forgetful = access_keys.VerifiedKeys(counted, remembered=0)
answers += [forgetful(stored, "a"), forgetful(stored, "a"), forgetful(stored, "b")]
seen = "".join(map(repr, keys._seen))
print(json.dumps({"answers": answers, "calls": calls, "readable": "'a'" in seen or stored in seen}))
"""

SWITCH = (
    AS_SERVER
    + """
os.environ["MLFLOW_SSO_ACCESS_KEY_CACHE"] = sys.argv[2]
from mlflow_sso.serve.application import app
from mlflow_oidc_auth.repository import user
print(user.check_password_hash._seen.maxsize)
"""
)


@pytest.fixture
def key(site: Site) -> Iterator[str]:
    """A key of dora's that the test may ruin; she gets hers back."""
    yield site.keys["dora"]
    site.keys.update(make_users(site.pod, "dora"))


def in_thirty_days() -> str:
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()


def status(server: Serving, key: str) -> int:
    with server.client("dora", key) as client:
        return client.get(f"{API}/experiments/search?max_results=5").status_code


def test_replaced_key_is_refused_at_once(site: Site, server: Serving, key: str) -> None:
    assert [status(server, key), status(server, key)] == [200, 200]
    with server.client("dora", key) as client:
        answer = client.patch(
            "/api/2.0/mlflow/permissions/users/access-token",
            json={"username": "dora@example.com", "expiration": in_thirty_days()},
        )

    assert answer.status_code == 200, answer.text
    assert status(server, key) == 401
    assert status(server, answer.json()["token"]) == 200


def test_remembered_key_is_refused_once_expired(site: Site, server: Serving, key: str) -> None:
    assert [status(server, key), status(server, key)] == [200, 200]

    site.pod.database.query(
        "UPDATE users SET password_expiration = now() AT TIME ZONE 'UTC' - interval '1 second' WHERE username = %s",
        "dora@example.com",
        service="mlflow_auth",
    )

    assert status(server, key) == 401


def test_remembered_key_of_deleted_user_is_refused(site: Site, server: Serving) -> None:
    keys = make_users(site.pod, "gone")
    with server.client("gone", keys["gone"]) as client:
        before = client.get(f"{API}/experiments/search?max_results=5").status_code
        site.pod.database.query("DELETE FROM users WHERE username = 'gone@example.com'", service="mlflow_auth")

        after = client.get(f"{API}/experiments/search?max_results=5").status_code

    assert (before, after) == (200, 401)


def test_key_does_not_open_account_of_another(site: Site, server: Serving) -> None:
    answer = httpx.get(
        f"{server.url}{API}/experiments/search?max_results=5", auth=("bert@example.com", site.keys["anna"])
    )

    assert answer.status_code == 401


def test_run_is_open_to_user_and_administrators(site: Site, server: Serving) -> None:
    set_administrator = "UPDATE users SET is_admin = %s WHERE username = 'bert@example.com'"
    with server.client("anna", site.keys["anna"]) as anna, server.client("bert", site.keys["bert"]) as bert:
        address = f"{API}/runs/get?run_id={make_run(anna)}"
        statuses = [anna.get(address).status_code, bert.get(address).status_code]
        site.pod.database.query(set_administrator, True, service="mlflow_auth")
        statuses.append(bert.get(address).status_code)
        site.pod.database.query(set_administrator, False, service="mlflow_auth")
        statuses.append(bert.get(address).status_code)

    assert statuses == [200, 403, 200, 403]


def test_key_is_password_and_no_bearer_token(site: Site, server: Serving) -> None:
    assert bearer(server, site.keys["anna"]).status_code == 401


def test_key_checks_hash_two_at_once(site: Site) -> None:
    done = site.pod.python(WRONG_KEYS_AT_ONCE)

    found = json.loads(done.stdout)
    assert (found["most"], found["accepted"], found["right"]) == (2, 0, [True] * 4), done.stderr
    # Of each of the four names one key is hashed at a time.
    assert found["busy"] >= 48
    assert found["slowest"] < 0.5


def test_cache_keeps_only_successes_and_no_key(site: Site) -> None:
    done = site.pod.python(MEMORY)

    found = json.loads(done.stdout)
    assert found["answers"] == [True, True, False, False, True, True, True, False]
    # The second "a" is remembered, each "b" is checked; another stored hash of "a", a third, and the first anew.
    assert found["calls"] == ["a", "b", "b", "a", "a", "a", "a", "a", "b"]
    assert not found["readable"]


@pytest.mark.parametrize(("switch", "remembered"), [("true", "4096"), ("false", "0")])
def test_it_can_be_switched_off(site: Site, switch: str, remembered: str) -> None:
    done = site.pod.python(SWITCH, str(site.pod.secrets_root), switch)

    assert done.stdout.splitlines()[-1] == remembered, done.stderr
