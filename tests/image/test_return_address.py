"""After a login a browser is where it wanted to be, and no link makes a login lead to another server."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from pod import Pod
from realm import Realm
from serving import Serving

from mlflow_sso.serve.return_address import is_safe, login_page, only_safe_return

LANDING = {"DEFAULT_LANDING_PAGE_IS_PERMISSIONS": "false"}
PAGE = {"Accept": "text/html", "Sec-Fetch-Dest": "document"}
FOREIGN = (
    "//evil.example",
    "///evil.example",
    "https:evil.example",
    "https://evil.example/",
    "evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%2F%2Fevil.example",
    "/%2Fevil.example",
    "/%252Fevil.example",
    "/%5Cevil.example",
    "/x//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\x00/evil.example",
    "\t//evil.example",
    " /x",
    "//user:password@evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/logout",
    "/logout?x=1",
    "/%6Cogout",
    "/login?next=/",
    "/callback?code=1",
    "/x\u2028y",
    "/" + "x" * 3000,
    "",
)


@pytest.fixture(scope="module", params=["false", "true"], ids=["by a button", "at once"])
def server(
    request: pytest.FixtureRequest, migrated_once: Pod, realm: Realm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("returns")
    with realm.serving(migrated_once.copy(folder), AUTOMATIC_LOGIN_REDIRECT=request.param, **LANDING) as serving:
        yield serving.wait()


@pytest.mark.parametrize("address", FOREIGN)
def test_foreign_addresses_are_dropped(address: str) -> None:
    assert not is_safe(address)
    assert only_safe_return(f"next={quote(address, safe='')}".encode()) == b""
    assert "evil" not in login_page(address, automatic=True, provider="Keycloak").decode()


@pytest.mark.parametrize(
    "address", ["/#/models", "/graphql", "/get-artifact?path=a%2Fb&run_uuid=1", "/oidc/ui/user/tokens", "/?x=//y#/z"]
)
def test_own_addresses_are_kept(address: str) -> None:
    assert is_safe(address)
    assert only_safe_return(f"next={quote(address, safe='')}".encode()) == f"next={quote(address, safe='')}".encode()


def test_two_addresses_are_none() -> None:
    assert only_safe_return(b"next=%2Fa&next=%2Fb") == b""
    assert only_safe_return(b"next=%FF") == b""


def test_page_quotes_what_was_asked_for() -> None:
    page = login_page('/x?"><script>alert(1)</script>', automatic=True, provider="<b>").decode()

    assert "<script>alert" not in page
    assert "<b>" not in page


def logged_in(realm: Realm, browser: httpx.Client, address: str) -> httpx.Response:
    """Through Keycloak's form, from the address of a link."""
    form = browser.get(address, follow_redirects=True).raise_for_status().text
    action = re.search(r'action="([^"]+)"', form)
    assert action, form
    return browser.post(unescape(action[1]), data={"username": "grace", "password": realm.password})


def came_back(realm: Realm, browser: httpx.Client, server: Serving, address: str) -> str:
    """Where the login leads to, that began at ``/login?next=``."""
    answer = logged_in(realm, browser, f"{server.url}/login?next={quote(address, safe='')}")
    while "/callback" in answer.headers.get("location", ""):
        answer = browser.get(answer.headers["location"])
    assert answer.status_code == 302, answer.text
    return answer.headers["location"].removeprefix(server.url) or "/"


@pytest.mark.servers
@pytest.mark.parametrize("path", ["/", "/get-artifact?path=model.pkl&run_uuid=abc", "/oidc/ui/user/tokens"])
def test_browser_is_asked_with_its_address(server: Serving, path: str) -> None:
    answer = httpx.get(f"{server.url}{path}", headers=PAGE)

    link = re.search(r'id="login" href="([^"]+)"', answer.text)
    assert link, answer.text
    assert unescape(link[1]) == f"/login?next={quote(path, safe='')}"
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src 'sha256-" in answer.headers["content-security-policy"]
    automatic = server.pod.settings["AUTOMATIC_LOGIN_REDIRECT"] == "true"
    assert ("data-automatic" in answer.text.partition("<script>")[0]) is automatic
    assert ("http-equiv" in answer.text) is automatic


@pytest.mark.servers
@pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)
def test_program_is_asked_without_its_address(server: Serving) -> None:
    answer = httpx.get(f"{server.url}/api/2.0/mlflow/experiments/search?max_results=1")

    assert 'href="/login?next=%2F"' in answer.text
    assert "experiments" not in answer.text


@pytest.mark.servers
@pytest.mark.parametrize("address", ["/#/models", "/get-artifact?path=model.pkl&run_uuid=abc", "/oidc/ui/user/tokens"])
def test_login_leads_where_it_began(realm: Realm, server: Serving, address: str) -> None:
    with realm.client() as browser:
        assert came_back(realm, browser, server, address) == address


@pytest.mark.servers
@pytest.mark.parametrize("address", ["//evil.example", "/\\evil.example", "https://evil.example/", "/logout"])
def test_login_leads_to_no_other_server(realm: Realm, server: Serving, address: str) -> None:
    with realm.client() as browser:
        assert came_back(realm, browser, server, address) == "/"


@pytest.mark.servers
def test_next_login_leads_to_its_own_address(realm: Realm, server: Serving) -> None:
    with realm.client() as browser:
        came_back(realm, browser, server, "/#/models")
        answer = browser.get(f"{server.url}/login", follow_redirects=True)

    assert str(answer.url).removesuffix("/") == server.url
