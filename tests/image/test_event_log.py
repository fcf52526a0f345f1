"""The log as JSON: a line a request, an audit of what changes access or deletes, and no secret anywhere."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import httpx
import pytest
from serving import API, Serving, Site, make_run
from waiting import wait_for

from mlflow_sso.authorization.matching import Table
from mlflow_sso.authorization.release_3_6_0 import TABLE as TABLE_3_6_0
from mlflow_sso.authorization.release_3_17_2.table import routes
from mlflow_sso.serve.event_log import SAMPLE, EventLog, JsonFormatter, audited, named
from mlflow_sso.serve.request_ids import client_address, is_from_proxy, request_id, trusted_networks
from mlflow_sso.serve.request_metrics import Finished, RequestRecord

pytestmark = pytest.mark.either_release

TABLES = {"3.6.0": TABLE_3_6_0, "3.17.2": Table(routes(ai_gateway=False))}
KEY_PATHS = {
    "3.6.0": "/api/2.0/mlflow/permissions/users/access-token",
    "3.17.2": "/api/2.0/mlflow/users/access-token",
}
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJlbWFpbCI6ImEifQ.c2lnbmF0dXJl"


def scope(path: str = "/api/2.0/mlflow/runs/get", query: bytes = b"", **headers: str) -> dict[str, Any]:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": sent,
            "client": ("10.1.2.3", 1)}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("a1B2-c3.d_4", True), ("x" * 64, True), ("x" * 65, False), ("", False), ('a"b', False), ("a\nb", False)],
)
def test_request_id_of_a_proxy_is_kept(given: str, is_kept: bool) -> None:
    found = request_id(scope(x_request_id=given), from_proxy=True)

    assert (found == given) is is_kept
    assert len(found) == 32 or is_kept


def test_request_id_of_a_client_is_replaced() -> None:
    asked = scope(x_request_id="mine", x_forwarded_for="1.1.1.1")

    assert not is_from_proxy(asked, trusted_networks("192.168.0.0/16, 127.0.0.1"))
    assert request_id(asked, from_proxy=False) != "mine"
    assert client_address(asked, from_proxy=False) == "10.1.2.3"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    # A client may send the header itself: only the last address is the proxy's.
    [("198.51.100.7", "198.51.100.7"), ("6.6.6.6, 198.51.100.7", "198.51.100.7"), ("anything", "10.1.2.3")],
)
def test_client_is_what_the_proxy_saw(forwarded: str, client: str) -> None:
    asked = scope(x_forwarded_for=forwarded)

    assert is_from_proxy(asked, trusted_networks("10.0.0.0/8"))
    assert client_address(asked, from_proxy=True) == client


@pytest.mark.parametrize(
    ("release", "method", "path", "action"),
    [
        *((release, "GET", "/callback", "login") for release in TABLES),
        *((release, "GET", "/logout", "logout") for release in TABLES),
        *((release, "PATCH", path, "key") for release, path in KEY_PATHS.items()),
        ("3.6.0", "POST", "/api/2.0/mlflow/permissions/users/a@b/experiments/1", "grant"),
        *((release, "POST", "/api/2.0/mlflow/runs/delete", "deletion") for release in TABLES),
        *((release, "DELETE", "/api/2.0/mlflow/registered-models/delete", "deletion") for release in TABLES),
        *((release, "DELETE", "/api/2.0/mlflow-artifacts/artifacts/1/a", "deletion") for release in TABLES),
        *((release, "POST", "/api/2.0/mlflow/runs/log-metric", "") for release in TABLES),
        *((release, "GET", "/api/2.0/mlflow/runs/get", "") for release in TABLES),
    ],
)
def test_audit_asks_about_access_and_deletions(release: str, method: str, path: str, action: str) -> None:
    match = TABLES[release].find(method, path)

    assert match is not None
    assert audited(match) == action


def test_audit_names_objects_and_no_secret() -> None:
    match = TABLE_3_6_0.find("POST", "/api/2.0/mlflow/runs/delete")
    body = {"run_id": "r1", "password": "secret", "token": "secret", "permission": 5}
    assert match is not None

    assert named(match, {}, json.dumps(body).encode()) == {"run_id": "r1"}


def finished(record: RequestRecord, status: int = 200, **asked: Any) -> Finished:
    return Finished(scope(**asked), record, status, received=3, sent=5, seconds=0.0123)


def lines(log: EventLog, *requests: Finished) -> list[dict[str, Any]]:
    stream = StringIO()
    log._stream = stream
    for request in requests:
        log(request)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_access_line_masks_what_opens_a_session() -> None:
    asked = finished(RequestRecord(), path="/callback", query=f"code=abc&state={TOKEN}".encode())

    (line,) = lines(EventLog(), asked)

    assert line["path"] == "/callback?code=***&state=***"


def test_quiet_log_keeps_audits() -> None:
    record = RequestRecord(user="anna", action="deletion", named={"run_id": "r1"})

    found = lines(EventLog(accesses=False), finished(record), finished(RequestRecord()))

    assert [(line["event"], line["user"], line["object"]) for line in found] == [("audit", "anna", {"run_id": "r1"})]


def test_failed_login_is_refused_with_its_reason() -> None:
    record = RequestRecord(action="login", failure="User is not allowed to login")

    _, audit = lines(EventLog(), finished(record, status=302))

    assert (audit["outcome"], audit["reason"]) == ("refused", "User is not allowed to login")


def test_health_checks_are_sampled() -> None:
    stream = StringIO()
    log = EventLog(stream=stream)

    for _ in range(2 * SAMPLE):
        log.probe(scope("/health"))

    assert len(stream.getvalue().splitlines()) == 2


def test_other_lines_are_json_without_tokens() -> None:
    record = logging.LogRecord("uvicorn", logging.WARNING, "", 0, "Token:\n%s", (TOKEN,), None)

    line = json.loads(JsonFormatter().format(record))

    assert (line["level"], line["logger"], line["message"]) == ("warning", "uvicorn", "Token:\n***")


@pytest.fixture(scope="module")
def logging_server(site: Site) -> Iterator[Serving]:
    variables = {"MLFLOW_SSO_LOG_FORMAT": "json", "TRUSTED_PROXIES": "127.0.0.0/8"}
    with Serving(pod=site.pod, environment=variables) as serving:
        yield serving.wait()


def events(serving: Serving, request: str, *kinds: str) -> list[dict[str, Any]]:
    """The lines of a request of these kinds, in their order; every line of the log has to be an object."""
    found: dict[str, dict[str, Any]] = {}

    def written() -> bool:
        lines = [json.loads(line) for line in serving.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        found.update({line["event"]: line for line in lines if line.get("request") == request})
        return set(kinds) <= found.keys()

    # A line is written once the answer has ended, which the client may see before.
    wait_for(written)
    return [found[kind] for kind in kinds]


@pytest.mark.servers
def test_every_request_has_a_line(site: Site, logging_server: Serving) -> None:
    headers = {"X-Request-Id": "search-1"}
    with logging_server.client("anna", site.keys["anna"]) as client:
        answer = client.get(f"{API}/experiments/search?max_results=1", headers=headers)
        unknown = client.get("/no/such/path")
    refused = httpx.get(f"{logging_server.url}{API}/experiments/search?max_results=1")

    (line,) = events(logging_server, "search-1", "access")
    assert answer.headers["x-request-id"] == "search-1"
    assert (line["user"], line["rule"], line["status"]) == ("anna@example.com", "list experiment", 200)
    assert (line["client"], line["method"], line["sent"]) == ("127.0.0.1", "GET", len(answer.content))
    assert line["ms"] > 0
    (line,) = events(logging_server, unknown.headers["x-request-id"], "access")
    assert (line["rule"], line["status"], line["path"]) == ("none", unknown.status_code, "/no/such/path")
    (line,) = events(logging_server, refused.headers["x-request-id"], "access")
    assert (line["user"], line["status"]) == (None, refused.status_code)


@pytest.mark.servers
def test_deletion_and_key_are_audited(site: Site, logging_server: Serving) -> None:
    with logging_server.client("bert", site.keys["bert"]) as client:
        run = make_run(client)
        client.post(f"{API}/runs/delete", json={"run_id": run}, headers={"X-Request-Id": "deletion-1"})
    with logging_server.client("carl", site.keys["carl"]) as client:
        body = {"username": "carl@example.com", "expiration": "2030-01-01T00:00:00+00:00"}
        path = KEY_PATHS[site.pod.venv.release]
        made = client.patch(path, json=body, headers={"X-Request-Id": "key-1"})

    (audit,) = events(logging_server, "deletion-1", "audit")
    assert (audit["action"], audit["user"], audit["object"]) == ("deletion", "bert@example.com", {"run_id": run})
    assert audit["outcome"] == "done"
    (audit,) = events(logging_server, "key-1", "audit")
    assert (audit["action"], audit["user"]) == ("key", "carl@example.com")
    assert audit["outcome"] == ("done" if made.status_code < 400 else "refused")
    text = logging_server.log.read_text()
    assert not [key for key in site.keys.values() if key in text]
    assert made.status_code != 200 or made.json()["token"] not in text
