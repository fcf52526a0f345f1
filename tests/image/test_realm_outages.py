"""While the realm does not answer: 503 and when to try again, for a login as for a token, and never 401 or 500."""

from collections.abc import Iterator

import httpx
import pytest
from serving import API, SETTINGS, Serving, Site
from web_tokens import encoded, part

from mlflow_sso.asgi import Message
from mlflow_sso.serve.realm_outages import has_failed

ISSUER = "http://127.0.0.1:1/realms/mlflow"


@pytest.fixture(scope="module")
def without_realm(site: Site) -> Iterator[Serving]:
    """A server whose realm is away; ``SETTINGS`` names an address at which nothing listens."""
    assert ISSUER in SETTINGS["OIDC_DISCOVERY_URL"]
    with Serving(pod=site.pod, environment={"OIDC_ISSUER": ISSUER, "OIDC_AUDIENCE": "mlflow"}) as server:
        yield server.wait()


def token() -> str:
    """A token as the realm would issue it; its signature cannot be checked."""
    parts = ({"alg": "RS256", "kid": "key", "typ": "JWT"}, {"iss": ISSUER, "aud": "mlflow", "typ": "Bearer"})
    # As long as a signature of a key of 2048 bits.
    return ".".join([*map(part, parts), encoded(b"x" * 256)])


@pytest.mark.servers
def test_token_is_not_called_wrong(without_realm: Serving) -> None:
    asked = f"{without_realm.url}{API}/experiments/search?max_results=1"

    unknown = httpx.get(asked, headers={"Authorization": f"Bearer {token()}"}, timeout=60)
    garbage = httpx.get(asked, headers={"Authorization": "Bearer garbage"}, timeout=60)

    assert (unknown.status_code, unknown.headers.get("retry-after")) == (503, "5")
    assert unknown.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
    assert garbage.status_code == 401
    assert 'mlflow_sso_refused_requests_total{reason="realm",status="503"}' in without_realm.metrics()


@pytest.mark.servers
@pytest.mark.parametrize("path", ["/login", "/login?next=/", "/callback?error=login_required"])
def test_browser_gets_a_page(without_realm: Serving, path: str) -> None:
    answer = httpx.get(f"{without_realm.url}{path}", headers={"Accept": "text/html"}, timeout=60)

    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "10")
    assert "The login service does not answer" in answer.text


@pytest.mark.servers
@pytest.mark.parametrize(("method", "body"), [("POST", b"a=b"), ("DELETE", b""), ("PATCH", b"{}")])
def test_other_methods_begin_no_login(without_realm: Serving, method: str, body: bytes) -> None:
    answer = httpx.request(method, f"{without_realm.url}/login", content=body, timeout=60)

    assert answer.status_code in (401, 403, 404, 405)


@pytest.mark.servers
def test_keys_work_without_the_realm(without_realm: Serving, site: Site) -> None:
    with without_realm.client("anna", site.keys["anna"]) as client:
        answer = client.get(f"{API}/experiments/search?max_results=1")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "location", "failed"),
    [
        ("/login", 302, b"https://auth.example.com/?x=error", False),
        ("/login", 500, b"", True),
        ("/callback", 302, b"/", False),
        ("/callback", 302, b"/oidc/ui/auth?error=x", True),
        ("/callback", 200, b"", True),
        ("/callback", 500, b"", True),
    ],
)
def test_failed_login_is_told_apart(path: str, status: int, location: bytes, failed: bool) -> None:
    start: Message = {"type": "http.response.start", "status": status, "headers": [(b"location", location)]}

    assert has_failed(path, start) is failed
