"""A realm that answers wrongly, slowly or not at all: 503 and when to try again, and no user is logged out by it."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from pod import Pod, Venv
from realm import NAME, Realm
from serving import API, Serving, Site
from test_realm_outages import token

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SEARCH = f"{API}/experiments/search?max_results=1"
PAGE = {"Accept": "text/html", "Sec-Fetch-Dest": "document"}
# No token is signed with it, so it need not be a real key.
RSA = {"kty": "RSA", "kid": "other", "use": "sig", "alg": "RS256", "n": "sXch", "e": "AQAB"}


class FaultyRealm(BaseHTTPRequestHandler):
    """Answers as ``fault`` says; without one as a realm whose only key is another."""

    fault = ""

    def do_GET(self) -> None:
        base = f"http://{self.headers['Host']}/realms/{NAME}"
        names = {"jwks_uri": "certs", "authorization_endpoint": "auth", "token_endpoint": "token"}
        discovery = {"issuer": base, **{name: f"{base}/{end}" for name, end in names.items()}}
        is_keys = self.path.endswith("/certs")
        body = json.dumps({"keys": [RSA]} if is_keys else discovery)
        status = 200
        if self.fault == "not found":
            status, body = 404, '{"error":"Realm does not exist"}'
        elif self.fault == "html":
            body = "<html>maintenance</html>"
        elif self.fault == "no keys" and is_keys:
            body = '{"keys":[]}'
        elif self.fault == "error as keys" and is_keys:
            body = '{"error":"unavailable"}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def faulty() -> Iterator[str]:
    """Address of the faulty realm."""
    with ThreadingHTTPServer(("127.0.0.1", 0), FaultyRealm) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/realms/{NAME}"
        server.shutdown()


@pytest.fixture(scope="module")
def beside_faulty(site: Site, faulty: str) -> Iterator[Serving]:
    environment = {
        "OIDC_DISCOVERY_URL": f"{faulty}/.well-known/openid-configuration",
        "OIDC_ISSUER": faulty,
        "OIDC_AUDIENCE": "mlflow",
    }
    with Serving(pod=site.pod, environment=environment) as server:
        yield server.wait()


@pytest.mark.parametrize("fault", ["not found", "html", "no keys", "error as keys"])
def test_wrong_answers_are_an_outage(beside_faulty: Serving, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaultyRealm, "fault", fault)

    bearer = httpx.get(f"{beside_faulty.url}{SEARCH}", headers={"Authorization": f"Bearer {token()}"}, timeout=60)

    assert (bearer.status_code, bearer.headers.get("retry-after")) == (503, "5"), bearer.text


@pytest.mark.parametrize("fault", ["not found", "html"])
def test_login_of_wrong_realm_is_a_page(beside_faulty: Serving, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaultyRealm, "fault", fault)
    # What was known of the realm before is asked again after a moment.
    time.sleep(2.1)

    answer = httpx.get(f"{beside_faulty.url}/login", headers=PAGE, timeout=60)

    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "10"), answer.text
    assert "The login service does not answer" in answer.text


def test_login_of_known_realm_is_a_page(beside_faulty: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    # The server knows where a login leads to from the first answer on.
    for fault in ("", "not found", "no keys", ""):
        monkeypatch.setattr(FaultyRealm, "fault", fault)
        time.sleep(2.1)
        answers.append(httpx.get(f"{beside_faulty.url}/login", headers=PAGE, timeout=60).status_code)

    assert answers == [302, 503, 503, 302]


def test_login_to_hanging_realm_is_a_page(migrated_pod: Pod, realm: Realm) -> None:
    with realm.serving(migrated_pod) as server:
        server.wait()
        before = httpx.get(f"{server.url}/login", headers=PAGE, timeout=60)
        time.sleep(2.1)
        with stopped(realm.keycloak.pid):
            away = httpx.get(f"{server.url}/login?next=/", headers=PAGE, timeout=60)
        time.sleep(2.1)
        after = httpx.get(f"{server.url}/login", headers=PAGE, timeout=60)

    assert (before.status_code, away.status_code, after.status_code) == (302, 503, 302), away.text
    assert away.headers["retry-after"] == "10"
    assert "The login service does not answer" in away.text


def test_wrong_keys_are_not_remembered(beside_faulty: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"Authorization": f"Bearer {token()}"}
    monkeypatch.setattr(FaultyRealm, "fault", "error as keys")
    before = httpx.get(f"{beside_faulty.url}{SEARCH}", headers=headers, timeout=60)
    monkeypatch.setattr(FaultyRealm, "fault", "")

    after = httpx.get(f"{beside_faulty.url}{SEARCH}", headers=headers, timeout=60)

    # The realm answers now, and the token is signed by no key of its.
    assert (before.status_code, after.status_code) == (503, 401), after.text


def test_foreign_certificate_is_an_outage(site: Site, realm: Realm) -> None:
    issuer = realm.discovery_url.partition("/.well-known")[0]
    environment = {"OIDC_DISCOVERY_URL": realm.discovery_url, "OIDC_ISSUER": issuer, "OIDC_AUDIENCE": "mlflow"}
    with Serving(pod=site.pod, environment=environment) as server:
        server.wait()
        headers = {"Authorization": f"Bearer {realm.tokens()['access_token']}"}
        bearer = httpx.get(f"{server.url}{SEARCH}", headers=headers, timeout=60)
        login = httpx.get(f"{server.url}/login", headers=PAGE, timeout=60)

    assert (bearer.status_code, login.status_code) == (503, 503), bearer.text


@pytest.fixture
def short_tokens(realm: Realm) -> Iterator[None]:
    """Access tokens of browsers that end after seconds."""
    set_lifespan(realm, "5")
    yield
    set_lifespan(realm, "")


def set_lifespan(realm: Realm, seconds: str) -> None:
    """Of access tokens of the client ``mlflow``; the realm's own if empty."""
    with realm.administrator() as admin:
        found = admin.get(f"/admin/realms/{NAME}/clients", params={"clientId": "mlflow"}).json()[0]
        attributes = found.get("attributes", {}) | {"access.token.lifespan": seconds}
        url = f"/admin/realms/{NAME}/clients/{found['id']}"
        # Keycloak replaces the client by what it is sent.
        admin.put(url, json=found | {"attributes": attributes}).raise_for_status()


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The processes below ``pid`` accept connections and do nothing."""
    below = list(descendants(pid))
    try:
        for process in below:
            os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in below:
            os.kill(process, signal.SIGCONT)


def descendants(pid: int) -> Iterator[int]:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        yield from descendants(int(child))


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_session_outlives_outage_of_realm(migrated_pod: Pod, realm: Realm, short_tokens: None, venv: Venv) -> None:
    with realm.serving(migrated_pod, OIDC_USE_REFRESH_TOKEN="true") as server, realm.client() as browser:
        server.wait()
        realm.log_in(browser, server.url).raise_for_status()
        # Longer than a token of ``short_tokens`` lives.
        time.sleep(6)
        with stopped(realm.keycloak.pid):
            away = browser.get(f"{server.url}{SEARCH}")
            page = browser.get(f"{server.url}/", headers=PAGE)
        back = browser.get(f"{server.url}{SEARCH}")

    assert (away.status_code, page.status_code, back.status_code) == (503, 503, 200), back.text
    assert page.headers["retry-after"] == "10"
    assert "The login service does not answer" in page.text
