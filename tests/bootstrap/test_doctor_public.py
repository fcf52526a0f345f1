"""The lines of doctor about the public address: a server that answers well, and badly in each way."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import quote

import pytest
from doctor_lines import SETTINGS, examination
from served import serving_http

from live.servers import OpenBao
from live.servers.certificates import Certificate, issue
from mlflow_bootstrap.doctor.checks import ingress, machine, public_address
from mlflow_bootstrap.doctor.examination import Check
from mlflow_bootstrap.doctor.line import Line, State
from mlflow_bootstrap.doctor.run import examine
from mlflow_bootstrap.doctor.web import Web
from mlflow_bootstrap.ownership import MARK
from testbed.node.api_server import ApiServer

pytestmark = pytest.mark.servers

HOST, KEYCLOAK = SETTINGS.ingress.host, SETTINGS.authentication.keycloak_host
ISSUER = SETTINGS.authentication.issuer
Answers = dict[str, tuple[int, Mapping[str, str], bytes]]


def to_keycloak(uri: str) -> str:
    return f"{ISSUER}/protocol/openid-connect/auth?client_id=mlflow&redirect_uri={quote(uri, safe='')}"


WELL: Answers = {
    "/health": (200, {}, b"OK"),
    "/api/2.0/mlflow/experiments/search": (401, {}, b"{}"),
    "/login": (302, {"Location": to_keycloak(SETTINGS.ingress.redirect_uri)}, b""),
    f"/realms/{SETTINGS.authentication.realm}/protocol/openid-connect/auth": (200, {}, b"<form>"),
    f"/realms/{SETTINGS.authentication.realm}/.well-known/openid-configuration": (
        200,
        {},
        json.dumps({"issuer": ISSUER}).encode(),
    ),
}
AUTHORIZE, DISCOVERY = list(WELL)[3:]


@contextmanager
def answering(certificate: Certificate, answers: Answers, *, clock: float = 0) -> Iterator[int]:
    """MLflow and Keycloak behind one ingress; ``clock`` is how many seconds theirs is ahead."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answers[self.path.partition("?")[0]]
            # Without the Date that ``send_response`` adds by itself.
            self.send_response_only(status)
            self.send_header("Date", formatdate(time() + clock, usegmt=True))
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.do_GET()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    with serving_http(Handler, certificate=certificate) as port:
        yield port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return issue(tmp_path_factory.mktemp("tls"), HOST, KEYCLOAK)


def look(check: Check, port: int, **environ: str) -> Line:
    """The line of a check whose hosts answer at ``port``."""
    examined = examination(web=Web(connect=("127.0.0.1", port), environ=environ))
    return examine(examined, {"asked": check}, seconds=30)[0]


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        public_address.certificate,
        public_address.health,
        public_address.anonymous,
        public_address.login,
        public_address.realm,
    )
}


@pytest.mark.parametrize("check", CHECKS)
def test_doctor_finds_a_good_address(certificate: Certificate, check: str) -> None:
    with answering(certificate, WELL) as port:
        line = look(CHECKS[check], port, SSL_CERT_FILE=str(certificate.ca))

    assert line.state is State.OK, line


@pytest.mark.parametrize(
    ("check", "path", "answer", "seen"),
    [
        ("health", "/health", (404, {}, b""), "answers 404"),
        ("health", "/health", (503, {}, b""), "answers 503"),
        (
            "anonymous",
            "/api/2.0/mlflow/experiments/search",
            (200, {}, b'{"experiments": [{"experiment_id": "1"}]}'),
            "experiments are listed",
        ),
        ("anonymous", "/api/2.0/mlflow/experiments/search", (404, {}, b""), "answered with 404"),
        ("anonymous", "/api/2.0/mlflow/experiments/search", (200, {}, b"{}"), "experiments are listed"),
        ("login", "/login", (500, {}, b""), "answers 500"),
        ("login", "/login", (302, {"Location": to_keycloak("https://old.example.com/callback")}, b""), "old.example"),
        ("login", AUTHORIZE, (400, {}, b"Invalid parameter: redirect_uri"), "Keycloak refuses"),
        ("login", AUTHORIZE, (502, {}, b""), "Keycloak answers 502"),
        ("realm", DISCOVERY, (404, {}, b"{}"), "Keycloak has none"),
        ("realm", DISCOVERY, (200, {}, b'{"issuer": "http://keycloak:8080/realms/mlflow"}'), "http://keycloak:8080"),
    ],
)
def test_doctor_names_a_bad_answer(
    certificate: Certificate, check: str, path: str, answer: tuple[int, Mapping[str, str], bytes], seen: str
) -> None:
    with answering(certificate, {**WELL, path: answer}) as port:
        line = look(CHECKS[check], port, SSL_CERT_FILE=str(certificate.ca))

    assert (line.state, seen in line.seen) == (State.FAILED, True), line
    assert line.means
    assert line.do


def test_doctor_takes_a_login_page_for_a_refusal(certificate: Certificate) -> None:
    page = (200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>log in</html>")
    with answering(certificate, {**WELL, "/api/2.0/mlflow/experiments/search": page}) as port:
        line = look(public_address.anonymous, port, SSL_CERT_FILE=str(certificate.ca))

    assert (line.state, line.seen) == (State.OK, "gets the login page")


def test_doctor_names_an_untrusted_certificate(certificate: Certificate) -> None:
    with answering(certificate, WELL) as port:
        line = look(public_address.certificate, port)

    assert line.state is State.FAILED
    assert "SSL_CERT_FILE" in line.do


def test_doctor_names_another_hosts_certificate(tmp_path: Path) -> None:
    other = issue(tmp_path, "other.example.com")
    with answering(other, WELL) as port:
        line = look(public_address.certificate, port, SSL_CERT_FILE=str(other.ca))

    assert line.state is State.FAILED
    assert HOST in line.seen


def test_doctor_cannot_reach_a_closed_port() -> None:
    # The port of "discard" (RFC 863), on which nothing listens.
    line = look(public_address.health, 9)

    assert line.state is State.UNKNOWN
    assert "127.0.0.1:9" in line.seen


MACHINES = "mlflow-machines"
TOKENS = f"/realms/{SETTINGS.authentication.realm}/protocol/openid-connect/token"
JSON = {"Content-Type": "application/json"}
CLAIMS: dict[str, Any] = {"aud": ["account", "mlflow"], "groups": ["/mlflow-users"]}


def token_of(claims: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
    """Keycloak's answer with an access token, whose signature is not checked here."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return 200, JSON, json.dumps({"access_token": f"e30.{payload}.x"}).encode()


@pytest.mark.parametrize(
    ("changed", "state", "seen"),
    [
        ({}, State.OK, "mlflow-machines has audience and groups"),
        ({TOKENS: token_of({**CLAIMS, "aud": "account"})}, State.FAILED, "its audience is account, not mlflow"),
        ({TOKENS: token_of({"aud": "mlflow"})}, State.FAILED, "it has no claim groups"),
        ({TOKENS: token_of({**CLAIMS, "groups": ["/x"]})}, State.FAILED, "its groups are /x"),
        ({TOKENS: (401, JSON, b'{"error": "unauthorized_client"}')}, State.FAILED, "401 unauthorized_client"),
        ({"/api/2.0/mlflow/experiments/search": (401, JSON, b"{}")}, State.FAILED, "MLflow answers 401"),
        ({"/api/2.0/mlflow/experiments/search": (200, {}, b"<html>")}, State.FAILED, "MLflow answers 200"),
    ],
)
def test_doctor_tries_a_machines_token(
    certificate: Certificate, openbao_server: OpenBao, changed: Answers, state: State, seen: str
) -> None:
    openbao_server.call("POST", "secret/data/doctor-machines/machines", {"data": {"client_secret": "of-machines"}})
    # An entry without the mark of its instance belongs to others, and is not read.
    ours = {"custom_metadata": {MARK: SETTINGS.instance}}
    openbao_server.call("POST", "secret/metadata/doctor-machines/machines", ours)
    settings = SETTINGS.model_copy(
        update={
            "authentication": SETTINGS.authentication.model_copy(update={"machine_client": MACHINES}),
            "secrets": SETTINGS.secrets.model_copy(update={"vault_prefix": "doctor-machines"}),
        }
    )
    listed = {"/api/2.0/mlflow/experiments/search": (200, JSON, b"{}"), TOKENS: token_of(CLAIMS)}
    login = {"VAULT_ADDR": openbao_server.url, "VAULT_TOKEN": openbao_server.token}
    with answering(certificate, {**WELL, **listed, **changed}) as port:
        web = Web(connect=("127.0.0.1", port), environ={"SSL_CERT_FILE": str(certificate.ca)})
        examined = examination(settings, environ=login, web=web)
        (line,) = examine(examined, {"machine": machine.token}, seconds=30)

    assert (line.state, seen in line.seen) == (state, True), line
    assert "of-machines" not in str(line)


# Doctor allows 30 seconds between clocks, ahead and behind.
@pytest.mark.parametrize(("ahead", "state"), [(0, State.OK), (-120, State.FAILED), (90, State.FAILED)])
def test_doctor_compares_clocks(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch, ahead: int, state: State
) -> None:
    with ApiServer() as server, answering(certificate, WELL, clock=ahead) as port:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig))
        line = look(public_address.clocks, port, SSL_CERT_FILE=str(certificate.ca))

    assert line.state is state, line
    # A Date has whole seconds, and the answer takes some time.
    seen = re.search(r"Keycloak ([+-]\d+) s", line.seen)
    assert state is State.OK or (seen and abs(int(seen[1]) - ahead) <= 5), line


def test_doctor_names_an_unknown_host() -> None:
    # Reserved names: no resolver ever knows one (RFC 2606).
    ingress_settings = SETTINGS.ingress.model_copy(update={"host": "mlflow.invalid"})
    settings = SETTINGS.model_copy(update={"ingress": ingress_settings})
    examined = examination(settings)

    unknown, *_ = examine(examined, {"DNS": ingress.names}, seconds=30)
    told, *_ = examine(replace(examined, web=Web(connect=("127.0.0.1", 9))), {"DNS": ingress.names}, seconds=30)

    assert (unknown.name, unknown.state) == ("DNS of mlflow.invalid", State.FAILED)
    assert told.state is State.WARNING
