"""The AI gateway: off by default; switched on, it serves its roles only, and a provider's key is used, never shown."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from attacked import new_site, run_inside
from realm import OTHERS, Realm
from serving import Serving, Site
from test_authorization_matrix import settings

pytestmark = pytest.mark.servers

ON = {"MLFLOW_ENABLE_AI_GATEWAY": "true"}
LOCAL = {"MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS": "true", "MLFLOW_GATEWAY_API_BASE_ALLOWED_SCHEMES": "http"}
"""The provider of the test is on this machine."""
AT_ONCE = {"MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}
"""The trace of a served call is written before its answer: written later, it would be a change by whoever asks next."""

WITH_GATEWAY = pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
SERVED_WHEN_OFF = {"3.6.0": [["GET /ajax-api/2.0/mlflow/gateway-proxy", 200, '{"endpoints":[]}\n']], "3.17.2": []}
"""The list of a page, which is always empty: no setting names an older gateway."""
NO_TOKENS = json.dumps({"ours": "", "others": ""})


@WITH_GATEWAY
def test_gateway_serves_its_roles_only(users_once: Site, realm: Realm) -> None:
    tokens = {"ours": realm.tokens()["access_token"], "others": realm.tokens(client=OTHERS)["access_token"]}
    with new_site(users_once, "grace", **ON, **LOCAL, **AT_ONCE, **settings(realm)) as site:
        found = run_inside(site, "ask_gateway.py", json.dumps(tokens), "roles")

    unknown, refused, served = [401, False, []], [403, False, []], [200, True, [True]]
    assert list(found["calls"].values()) == [*[unknown] * 3, refused, refused, *[served] * 4]
    assert found["lines"] == []
    assert found["told"] == []
    assert found["asked"] > 300


@WITH_GATEWAY
def test_gateway_asks_no_address_inside(users_once: Site) -> None:
    with new_site(users_once, **ON) as site:
        heard = run_inside(site, "ask_gateway.py", NO_TOKENS, "addresses")

    assert {status for _, status in heard} == {400}, heard


@WITH_GATEWAY
def test_gateway_calls_with_stored_keys_only(users_once: Site) -> None:
    with new_site(users_once, **ON, **LOCAL) as site:
        found = run_inside(site, "ask_providers.py")

    assert found["wrong"] == []
    assert found["own"] == {"openai": 200, "databricks: token": 200, "databricks: OAuth": 200, "vertex": None}
    # Else who may edit a secret would have its key sent to themself.
    sent_elsewhere = dict.fromkeys(("another address", "the provider's address", "a blank address"), 400)
    assert found["updates"] == {**sent_elsewhere, "another version": 200, "another key": 200, "both": 200}


def test_gateway_is_off_by_default(users_once: Site) -> None:
    with new_site(users_once) as site:
        served = run_inside(site, "ask_gateway.py", NO_TOKENS, "off")

    assert served == SERVED_WHEN_OFF[users_once.pod.venv.release]


@WITH_GATEWAY
def test_server_with_gateway_starts(site: Site) -> None:
    with Serving(pod=site.pod, environment=ON) as server, server.client("anna", site.keys["anna"]) as client:
        server.wait()

        assert client.get("/gateway/mlflow/v1/models").status_code == 200


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """The address of a proxy that lets nothing through, and what was asked of it."""
    heard: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            heard.append(self.path)
            self.send_error(502)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()


@WITH_GATEWAY
def test_model_costs_are_asked_of_no_site(users_once: Site, proxy: tuple[str, list[str]]) -> None:
    address, heard = proxy
    with new_site(users_once, **ON, HTTPS_PROXY=address, NO_PROXY="127.0.0.1") as site:
        found = run_inside(site, "ask_costs.py")

    assert found == {"listed": 200, "stored": 200, "cost": True}
    assert heard == []
