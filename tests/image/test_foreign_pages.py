"""A page of another origin ends no session, and our own pages still do."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pod import Pod
from realm import Realm
from serving import API, Serving, make_run

from mlflow_sso.authorization.decision import Allowed, Caller
from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.foreign_pages import refuse_foreign_logout
from mlflow_sso.authorization.matching import Table
from mlflow_sso.authorization.middleware import AuthorizationMiddleware
from mlflow_sso.authorization.release_3_6_0 import TABLE as TABLE_3_6_0
from mlflow_sso.authorization.release_3_17_2.table import routes

TABLES = {"3.6.0": TABLE_3_6_0, "3.17.2": Table(routes(ai_gateway=False))}


def asked(release: str, method: str, path: str, *sites: bytes) -> None:
    match = TABLES[release].find(method, path)
    assert match
    scope: dict[str, Any] = {"headers": [(b"sec-fetch-site", site) for site in sites]}
    refuse_foreign_logout(match, scope)


@pytest.mark.parametrize("release", TABLES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    # A header that comes twice, or is not exactly what browsers send, counts as foreign.
    "sites",
    [(b"cross-site",), (b"same-site",), (b"same-origin", b"cross-site"), (b"Same-Origin",), (b"",)],
)
def test_logout_from_elsewhere_is_refused(release: str, method: str, sites: tuple[bytes, ...]) -> None:
    with pytest.raises(RefusedError, match="log out on a page of MLflow") as refusal:
        asked(release, method, "/logout", *sites)

    assert refusal.value.status == 403


@pytest.mark.parametrize("release", TABLES)
# Clients that are no browsers send no header; ``none`` stands for an address that was typed.
@pytest.mark.parametrize("sites", [(), (b"same-origin",), (b"none",), (b" none ",)])
def test_logout_of_our_pages_is_kept(release: str, sites: tuple[bytes, ...]) -> None:
    asked(release, "GET", "/logout", *sites)


@pytest.mark.parametrize("release", TABLES)
# Keycloak's redirect back to /callback comes from another site, too.
@pytest.mark.parametrize("path", ["/", "/callback", "/login", "/get-artifact"])
def test_links_to_pages_are_kept(release: str, path: str) -> None:
    asked(release, "GET", path, b"cross-site")


class Backend:
    """A backend that serves everything to one user; the methods asked of it are ``served``."""

    def __init__(self) -> None:
        self.served: list[str] = []

    async def login(self, scope: Any) -> Caller:
        return Caller(username="grace@example.com", is_admin=False)

    async def decide(self, caller: Caller, *_: Any) -> Allowed:
        return Allowed(caller)

    async def serve(self, allowed: Allowed, scope: Any, *_: Any) -> None:
        self.served.append(scope["method"])


@pytest.mark.parametrize("release", TABLES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_logout_from_elsewhere_reaches_no_application(release: str, method: str) -> None:
    backend, sent = Backend(), list[dict[str, Any]]()

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    for site in (b"cross-site", b"same-origin"):
        scope = {"type": "http", "method": method, "path": "/logout", "raw_path": b"/logout", "query_string": b""}
        headers = {"headers": [(b"sec-fetch-site", site)]}
        asyncio.run(AuthorizationMiddleware(TABLES[release], backend)({**scope, **headers}, receive, send))

    assert [message["status"] for message in sent if "status" in message] == [403]
    assert backend.served == [method]


@pytest.fixture(scope="module")
def server(migrated_once: Pod, realm: Realm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("foreign")
    with realm.serving(migrated_once.copy(folder)) as serving:
        yield serving.wait()


def is_logged_in(browser: httpx.Client) -> bool:
    return "experiments" in browser.get(f"{API}/experiments/search?max_results=1").text


@pytest.mark.servers
@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_session_ends_by_own_logout_only(realm: Realm, server: Serving, site: str) -> None:
    with realm.client() as browser:
        browser.base_url = httpx.URL(server.url)
        realm.log_in(browser, server.url).raise_for_status()
        # A list without experiments would not have the word that ``is_logged_in`` looks for.
        make_run(browser)
        foreign = [browser.get("/logout", headers={"Sec-Fetch-Site": where}) for where in ("cross-site", "same-site")]
        kept = is_logged_in(browser)
        own = browser.get("/logout", headers={"Sec-Fetch-Site": site})
        after = is_logged_in(browser)

    assert [answer.status_code for answer in foreign] == [403, 403]
    assert own.is_redirect
    assert (kept, after) == (True, False)
