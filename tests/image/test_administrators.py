"""Who administers follows from the realm's group at each login; no user raises himself by the plugin's own routes."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from pod import Pod
from realm import NAME, Realm
from serving import API, Serving

pytestmark = pytest.mark.servers

MEMBER, BOSS = "climber@example.com", "chief@example.com"
LATER = "2026-12-20T00:00:00Z"
RAISED = {"is_admin": True, "isAdmin": True, "IS_ADMIN": "true"}

CLIMBS = {
    "3.6.0": (
        ("PATCH", "users/update-admin", {"is_admin": "true"}),
        ("PATCH", "users/update-admin", {"username": MEMBER, "is_admin": "True "}),
        ("POST", "users/create", {"username": MEMBER, "display_name": "x", "is_admin": True}),
        ("POST", "users/create", {"username": MEMBER.upper(), "display_name": "x", "is_admin": True}),
        ("PATCH", "users/update-password", {"username": MEMBER, **RAISED}),
        ("PATCH", "permissions/users/access-token", {"username": MEMBER, "expiration": "", **RAISED}),
        ("PATCH", "permissions/users/access-token", {"username": BOSS, "expiration": ""}),
        ("PATCH", "permissions/users/access-token", {"username": f"{MEMBER} ", "expiration": ""}),
    ),
    "3.17.2": (
        ("POST", "users", {"username": MEMBER, "display_name": "x", "is_admin": True}),
        ("POST", "users", {"username": MEMBER.upper(), "display_name": "x", "is_admin": True}),
        ("PATCH", "users/access-token", {"username": MEMBER, **RAISED}),
        ("PATCH", "users/access-token", {"username": BOSS}),
        ("PATCH", "users/access-token", {"username": BOSS.upper()}),
        ("POST", "users/current/tokens", {"name": "n", "expiration": LATER, "username": BOSS, **RAISED}),
        ("PATCH", f"users/{MEMBER}/active", {"active": True, **RAISED}),
        ("PATCH", "users/ownership", {"username": MEMBER, "managed_by": "scim", **RAISED}),
    ),
}
"""Requests of a member: method, path and body."""

ENDS = {
    "3.6.0": (
        ("PATCH", "users/update-admin", {"is_admin": "false"}),
        ("POST", "users/create", {"username": BOSS, "display_name": "x", "is_admin": False}),
        ("DELETE", "users/delete", {"username": BOSS}),
    ),
    "3.17.2": (
        ("PATCH", f"users/{BOSS}/active", {"active": False}),
        ("POST", "users", {"username": BOSS, "display_name": "x", "is_admin": False}),
        ("DELETE", "users", {"username": BOSS}),
    ),
}
"""Requests by which the only administrator is none any more."""


@dataclass(frozen=True, kw_only=True)
class Office:
    """A server with one administrator and one member, who are logged in."""

    realm: Realm
    server: Serving
    boss: httpx.Client
    boss_id: str
    member: httpx.Client

    def administrators(self) -> list[str]:
        query = "SELECT username FROM users WHERE is_admin ORDER BY username"
        return [row[0] for row in self.server.pod.database.query(query, service="mlflow_auth")]

    def log_in_again(self) -> httpx.Response:
        self.boss.cookies.clear()
        self.realm.log_in(self.boss, self.server.url, "chief")
        return self.boss.get(f"{API}/experiments/search?max_results=5")


@pytest.fixture(scope="module")
def office(migrated_once: Pod, realm: Realm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    pod = migrated_once.copy(tmp_path_factory.mktemp("office"))
    boss_id, member_id = (
        realm.add_user("chief", "/mlflow-admins", "/mlflow-users"),
        realm.add_user("climber", "/mlflow-users"),
    )
    with realm.serving(pod) as server, realm.client() as boss, realm.client() as member:
        server.wait()
        for name, browser in (("chief", boss), ("climber", member)):
            browser.base_url = server.url
            realm.log_in(browser, server.url, name).raise_for_status()
        yield Office(realm=realm, server=server, boss=boss, boss_id=boss_id, member=member)
    for key in (boss_id, member_id):
        realm.delete_user(key)


def send(browser: httpx.Client, method: str, path: str, body: object) -> httpx.Response:
    return browser.request(method, f"{API}/{path}", json=body)


def test_members_raise_themselves_by_no_route(office: Office) -> None:
    answers = [send(office.member, *climb) for climb in CLIMBS[office.server.pod.venv.release]]

    assert office.administrators() == [BOSS]
    assert all(answer.status_code < 500 for answer in answers)
    own = office.member.get(f"{API}/experiments/search?max_results=5")
    assert own.status_code == 200, own.text


@pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)
@pytest.mark.parametrize("end", range(3))
def test_group_brings_last_administrator_back(office: Office, end: int) -> None:
    ended = send(office.boss, *ENDS["3.6.0"][end])
    none = office.administrators()
    back = office.log_in_again()

    assert (ended.status_code, none) == (200, [])
    assert (back.status_code, office.administrators()) == (200, [BOSS])


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_last_administrator_is_not_ended(office: Office) -> None:
    answers = [send(office.boss, *end) for end in ENDS["3.17.2"]]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert all("only active administrator" in answer.json()["detail"] for answer in answers)
    assert office.administrators() == [BOSS]


def test_last_administrator_leaves_group(office: Office) -> None:
    with office.realm.administrator() as admin:
        groups = f"/admin/realms/{NAME}/users/{office.boss_id}/groups"
        (group,) = [one for one in admin.get(groups).json() if one["name"] == "mlflow-admins"]
        admin.delete(f"{groups}/{group['id']}").raise_for_status()
    member = office.log_in_again()
    none = office.administrators()
    with office.realm.administrator() as admin:
        admin.put(f"{groups}/{group['id']}").raise_for_status()
    office.log_in_again()

    assert (member.status_code, none) == (200, [])
    assert office.administrators() == [BOSS]


def test_user_is_created_as_asked(office: Office) -> None:
    path = "users/create" if office.server.pod.venv.release == "3.6.0" else "users"
    flags: dict[str, object] = {
        "no": False,
        "no as text": "false",
        "spelt": "False",
        "nothing": "",
        "yes": True,
        "text": "true",
    }
    for name, flag in flags.items():
        send(office.boss, "POST", path, {"username": f"{name}@example.com", "display_name": "x", "is_admin": flag})
    raised = set(office.administrators())
    office.server.pod.database.query("UPDATE users SET is_admin = (username = %s)", BOSS, service="mlflow_auth")

    assert raised == {BOSS, "yes@example.com", "text@example.com"}
