"""``end-access`` on a real Keycloak: who has left loses key and session, everybody else keeps them."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from pod import Pod
from program_gauges import gauges
from realm import DIRECTORY, Realm
from serving import API, SERVER_SECRETS, Serving, make_users, mount_server_secrets

from live.servers.process import free_port

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

LEAVERS = ("disabled", "deleted", "ungrouped", "strayed")
TEAM = "/contractors"
SEARCH = f"{API}/experiments/search?max_results=5"


@dataclass(frozen=True, kw_only=True)
class Office:
    """Users in the realm who have keys, a server, and the ids of those who will leave."""

    pod: Pod
    realm: Realm
    server: Serving
    keys: dict[str, str]
    people: dict[str, str]

    def inside(self, browser: httpx.Client) -> bool:
        """Whether a browser is logged in: otherwise it gets the login page, or 401."""
        answer = browser.get(f"{self.server.url}{SEARCH}")
        return answer.status_code == 200 and answer.headers["content-type"].startswith("application/json")

    def opens(self, name: str) -> bool:
        with self.server.client(name, self.keys[name]) as client:
            return client.get(SEARCH).status_code == 200


@pytest.fixture(scope="module")
def office(migrated_once: Pod, realm: Realm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    port = free_port()
    pod = replace(migrated_once, settings=realm.login_settings(port)).copy(tmp_path_factory.mktemp("office"))
    mount_server_secrets(pod)
    mount_directory(pod, realm)
    people = {name: realm.add_user(name, "/mlflow-users") for name in (*LEAVERS, "back", "stays")}
    people |= {name: realm.add_user(name, "/mlflow-admins", "/mlflow-users") for name in ("boss", "chief")}
    people["guest"] = realm.add_user("guest", "/mlflow-users", TEAM)
    for name in ("disabled", "deleted"):
        move(realm, people[name], "mlflow-admins")
    realm.change_user(people["stays"], email="Stays@Example.com")
    keys = make_users(pod, *people, "mlflow-machines", "robot", "grace")
    query = "UPDATE users SET is_service_account = (username = 'robot@example.com')"
    pod.database.query(query, service="mlflow_auth")
    with Serving(pod=pod, port=port) as server:
        yield Office(pod=pod, realm=realm, server=server.wait(), keys=keys, people=people)
    for key in people.values():
        # One of them was deleted by a test.
        with suppress(httpx.HTTPStatusError):
            realm.delete_user(key)


def mount_directory(pod: Pod, realm: Realm) -> None:
    for file, text in {
        "directory/DIRECTORY_CLIENT_ID": DIRECTORY,
        "directory/DIRECTORY_CLIENT_SECRET": SERVER_SECRETS["oidc/OIDC_CLIENT_SECRET"],
    }.items():
        path = pod.secrets_root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (pod.secrets_root / "ca").mkdir()
    shutil.copy(realm.keycloak.certificate.ca, pod.secrets_root / "ca/ca.crt")


def test_while_everybody_is_there_nothing_ends(office: Office) -> None:
    done = office.pod.run("end-access")

    assert done.code == 0, done.stderr
    assert done.results == [{"total": 0, "of": 12, "rights": 0, "dry_run": False}]
    assert all(office.opens(name) for name in office.keys)


def test_leavers_lose_key_and_session_within_one_run(office: Office) -> None:
    realm, people = office.realm, office.people
    browser = realm.client()
    realm.log_in(browser, office.server.url, "disabled").raise_for_status()
    before = office.inside(browser)
    realm.change_user(people["disabled"], enabled=False)
    realm.delete_user(people["deleted"])
    realm.leave_groups(people["ungrouped"])
    realm.leave_groups(people["strayed"])
    # A group of the same name elsewhere in the tree does not count.
    move(realm, people["strayed"], "contractors/mlflow-users")

    planned = office.pod.run("end-access", "--dry-run")
    kept = office.opens("disabled")
    done = office.pod.run("end-access")
    counted = gauges(office.pod)[2]
    again = office.pod.run("end-access")

    assert done.code == 0, done.stderr
    reasons = {line["user"]: line["reason"] for line in done.results[:-1]}
    assert reasons == {
        "deleted@example.com": "not in the realm",
        "disabled@example.com": "disabled",
        "strayed@example.com": "in none of the groups",
        "ungrouped@example.com": "in none of the groups",
    }
    assert {line["user"]: line["reason"] for line in planned.results[:-1]} == reasons
    assert again.results[-1]["total"] == 0
    assert (counted["end-access/users"], counted["end-access/ended"]) == (len(office.keys), len(LEAVERS))
    assert gauges(office.pod)[2]["end-access/ended"] == 0
    assert (before, kept, office.inside(browser)) == (True, True, False)
    assert {name for name in office.keys if office.opens(name)} == set(office.keys) - set(LEAVERS)
    assert administrators(office.pod).isdisjoint(f"{name}@example.com" for name in LEAVERS)


def move(realm: Realm, key: str, path: str, method: str = "PUT") -> None:
    """Into a group; out of it with DELETE."""
    with realm.administrator() as admin:
        group = admin.get(f"/admin/realms/mlflow/group-by-path/{path.lstrip('/')}").json()["id"]
        admin.request(method, f"/admin/realms/mlflow/users/{key}/groups/{group}").raise_for_status()


def administrators(pod: Pod) -> set[str]:
    return {row[0] for row in pod.database.query("SELECT username FROM users WHERE is_admin", service="mlflow_auth")}


def test_left_groups_take_rights_of_keys(office: Office) -> None:
    realm, people, url = office.realm, office.people, office.server.url
    for name in ("guest", "chief", "boss"):
        with realm.client() as browser:
            realm.log_in(browser, url, name).raise_for_status()
    with office.server.client("boss", office.keys["boss"]) as boss:
        created = boss.post(f"{API}/experiments/create", json={"name": "of the contractors"}).raise_for_status()
    found = created.json()["experiment_id"]
    granted = (
        "INSERT INTO experiment_group_permissions (experiment_id, group_id, permission) "
        "SELECT %s, id, 'READ' FROM groups WHERE group_name = %s"
    )
    office.pod.database.query(granted, found, TEAM[1:], service="mlflow_auth")
    before = (reads(office, "guest", found), reads(office, "chief", found), administrators(office.pod))
    move(realm, people["guest"], TEAM, "DELETE")
    move(realm, people["chief"], "mlflow-admins", "DELETE")

    planned = office.pod.run("end-access", "--dry-run")
    kept = (reads(office, "guest", found), reads(office, "chief", found))
    done = office.pod.run("end-access")
    again = office.pod.run("end-access")

    assert before[:2] == kept == (200, 200)
    assert before[2] >= {"boss@example.com", "chief@example.com"}
    told = {(line["user"], line["reason"]) for line in done.results[:-1]}
    assert told == {(line["user"], line["reason"]) for line in planned.results[:-1]}
    assert told == {
        ("guest@example.com", "not in contractors"),
        # Its grants as a group, and the rights that it gives.
        ("chief@example.com", "not in mlflow-admins"),
    }
    assert (done.results[-1]["rights"], again.results[-1]["rights"]) == (3, 0)
    assert (reads(office, "guest", found), reads(office, "chief", found)) == (403, 403)
    assert (reads(office, "boss", found), office.opens("guest"), office.opens("chief")) == (200, True, True)
    assert "chief@example.com" not in administrators(office.pod)


def reads(office: Office, name: str, experiment: str) -> int:
    with office.server.client(name, office.keys[name]) as client:
        return client.get(f"{API}/experiments/get?experiment_id={experiment}").status_code


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_bound_user_with_new_address_stays(office: Office) -> None:
    browser = office.realm.client()
    office.realm.log_in(browser, office.server.url, "stays").raise_for_status()
    office.realm.change_user(office.people["stays"], email="renamed@example.com")
    try:
        done = office.pod.run("end-access")
    finally:
        office.realm.change_user(office.people["stays"], email="Stays@Example.com")

    assert done.results[-1]["total"] == 0, done.stdout
    assert office.inside(browser)
    assert office.opens("stays")


def test_returner_logs_in_and_old_sessions_stay_ended(office: Office) -> None:
    realm, url = office.realm, office.server.url
    old, new = realm.client(), realm.client()
    realm.log_in(old, url, "back").raise_for_status()
    realm.change_user(office.people["back"], enabled=False)
    ended = office.pod.run("end-access")
    realm.change_user(office.people["back"], enabled=True)

    realm.log_in(new, url, "back").raise_for_status()

    assert [line["user"] for line in ended.results[:-1]] == ["back@example.com"]
    assert (office.inside(new), office.inside(old)) == (True, False)
    assert not office.opens("back")
    # A new key must not open the sessions again that were ended.
    make_users(office.pod, "back")
    assert (office.inside(new), office.inside(old)) == (True, False)
    realm.change_user(office.people["back"], enabled=False)
    assert [line["user"] for line in office.pod.run("end-access").results[:-1]] == ["back@example.com"]
    assert not office.inside(new)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"OIDC_DISCOVERY_URL": "http://127.0.0.1:1/realms/mlflow/.well-known/openid-configuration"}, 75),
        ({"OIDC_GROUP_NAME": "mlflow-users,no-such-group"}, 75),
        ({"OIDC_GROUP_NAME": "", "OIDC_ADMIN_GROUP_NAME": ""}, 2),
        ({"OIDC_GROUP_NAME": " , ", "OIDC_ADMIN_GROUP_NAME": "mlflow-admins"}, 2),
    ],
)
def test_without_whole_answer_nothing_ends(office: Office, settings: dict[str, str], code: int) -> None:
    done = office.pod.run("end-access", "--timeout", "5", **settings)

    assert done.code == code
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert office.opens("stays")


def test_wrong_secret_is_named(office: Office, tmp_path: Path) -> None:
    secret = office.pod.secrets_root / "directory/DIRECTORY_CLIENT_SECRET"
    right = secret.read_text()
    secret.write_text("wrong")
    try:
        done = office.pod.run("end-access")
    finally:
        secret.write_text(right)

    assert done.code == 1
    assert "refuses the directory client mlflow-directory" in done.stderr
    assert httpx.get(office.server.health_url).status_code == 200
