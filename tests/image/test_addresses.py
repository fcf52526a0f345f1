"""Who takes another's e-mail address at Keycloak stays who they are, unless it is verified."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import httpx
import pytest
from pod import Pod
from realm import Realm
from serving import API, Serving, bearer, make_run
from test_end_access import mount_directory

pytestmark = pytest.mark.servers

SEARCH = f"{API}/experiments/search?max_results=5"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A server whose users log in at the realm, and those that a test adds there."""

    realm: Realm
    server: Serving
    people: dict[str, str]

    def add(self, group: str) -> str:
        """Name of a new user of the realm."""
        name = f"p{secrets.token_hex(6)}"
        self.people[name] = self.realm.add_user(name, f"/{group}")
        return name

    def become(self, name: str, other: str, *, verified: bool = False) -> None:
        self.realm.change_user(self.people[name], email=f"{other}@example.com", emailVerified=verified)

    def leave(self, name: str) -> None:
        self.realm.delete_user(self.people.pop(name))

    def end_access(self) -> None:
        assert self.server.pod.run("end-access").code == 0

    @contextmanager
    def log_in(self, name: str) -> Iterator[httpx.Client]:
        with self.realm.client() as browser:
            browser.base_url = self.server.url
            self.realm.log_in(browser, self.server.url, name).raise_for_status()
            yield browser

    def works(self, name: str) -> str:
        """Log in and create a run; its id."""
        with self.log_in(name) as browser:
            return make_run(browser)

    def by_browser(self, name: str, run: str) -> bool:
        with self.log_in(name) as browser:
            return shows(browser.get(f"{API}/runs/get?run_id={run}"), run)

    def by_token(self, name: str, run: str) -> bool:
        headers = {"Authorization": f"Bearer {self.realm.tokens(name)['access_token']}"}
        answer = httpx.get(f"{self.server.url}{API}/runs/get?run_id={run}", headers=headers, timeout=60)
        return shows(answer, run)

    def administers(self, name: str) -> bool:
        """Whether the account of that address does; False if there is none."""
        query = "SELECT is_admin FROM users WHERE username = %s"
        return (True,) in self.server.pod.database.query(query, f"{name}@example.com", service="mlflow_auth")


def shows(answer: httpx.Response, run: str) -> bool:
    return answer.status_code == 200 and run in answer.text


@pytest.fixture(scope="module")
def place(migrated_once: Pod, realm: Realm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    pod = migrated_once.copy(tmp_path_factory.mktemp("place"))
    people: dict[str, str] = {}
    with realm.serving(pod, OIDC_PROVISION_ON_BEARER_AUTH="true") as server:
        (server.pod.secrets_root / "ca/ca.crt").unlink()
        (server.pod.secrets_root / "ca").rmdir()
        mount_directory(server.pod, realm)
        yield Place(realm=realm, server=server.wait(), people=people)
    for key in people.values():
        with suppress(httpx.HTTPStatusError):
            realm.delete_user(key)


@pytest.mark.parametrize("group", ["mlflow-users", "mlflow-admins"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_unverified_address_opens_no_left_account(place: Place, group: str, known: bool) -> None:
    # given
    left, thief = place.add(group), place.add("mlflow-users")
    run = place.works(left)
    if known:
        place.works(thief)
    place.leave(left)
    place.end_access()

    # when
    place.become(thief, left)
    opened = (place.by_token(thief, run), place.by_browser(thief, run), place.by_token(thief, run))

    # then
    assert opened == (False, False, False)
    assert not place.administers(left)


def test_unverified_address_of_leaver_administers_nothing_before(place: Place) -> None:
    left, thief = place.add("mlflow-admins"), place.add("mlflow-users")
    run, secret = place.works(left), place.works(place.add("mlflow-users"))
    place.leave(left)

    place.become(thief, left)

    assert (place.by_token(thief, run), place.by_token(thief, secret)) == (False, False)
    assert place.by_browser(thief, secret) is False


def test_address_of_present_user_is_not_given(place: Place) -> None:
    present, thief = place.add("mlflow-admins"), place.add("mlflow-users")

    with pytest.raises(httpx.HTTPStatusError, match="409"):
        place.become(thief, present)


def test_hand_made_administrator_is_not_taken_over(place: Place) -> None:
    thief, name = place.add("mlflow-users"), f"robot{secrets.token_hex(4)}"
    run = place.works(place.add("mlflow-users"))
    with place.log_in(place.add("mlflow-admins")) as boss:
        path = f"{API}/users/create" if place.server.pod.venv.release == "3.6.0" else f"{API}/users"
        body = {"username": f"{name}@example.com", "display_name": name, "is_admin": True}
        boss.post(path, json=body).raise_for_status()

    place.become(thief, name)

    assert place.administers(name)
    assert (place.by_token(thief, run), place.by_browser(thief, run)) == (False, False)


def test_unverified_address_of_ones_own_works(place: Place) -> None:
    name = place.add("mlflow-users")
    place.realm.change_user(place.people[name], emailVerified=False)
    run = place.works(name)

    assert (place.by_browser(name, run), place.by_token(name, run)) == (True, True)


def test_verified_address_opens_account_again(place: Place) -> None:
    left, again = place.add("mlflow-users"), place.add("mlflow-users")
    run = place.works(left)
    place.leave(left)
    place.end_access()

    place.become(again, left, verified=True)

    assert (place.by_browser(again, run), place.by_token(again, run)) == (True, True)


def test_refusal_says_what_to_do(place: Place) -> None:
    left, thief = place.add("mlflow-users"), place.add("mlflow-users")
    place.works(left)
    place.leave(left)
    place.end_access()
    place.become(thief, left)

    with place.realm.client() as browser:
        page = place.realm.log_in(browser, place.server.url, thief)
        inside = browser.get(f"{place.server.url}{SEARCH}")
    answer = bearer(place.server, place.realm.tokens(thief)["access_token"])

    assert "not verified" in f"{page.text} {page.url}".replace("+", " ").replace("%20", " ")
    assert "experiments" not in inside.text
    assert answer.status_code == 401
