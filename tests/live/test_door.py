"""The door in front of a small server: it passes on what its routes say, as it is, and nothing else."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from live.cluster import Objects
from live.door.routes import Route, routes
from live.door.server import Door
from live.rendering import ROOT
from live.servers.certificates import issue

pytestmark = pytest.mark.servers


class Behind(BaseHTTPRequestHandler):
    """Tells what it was asked; ``/slow`` ends when the test says so, ``/broken`` before it should."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/slow":
            self._begin(10)
            self.wfile.write(b"first")
            self.go_on.wait(30)
            self.wfile.write(b"later")
        elif self.path == "/broken":
            self._begin(10)
            self.wfile.write(b"first")
            self.close_connection = True
        else:
            self._tell(b"")

    def do_POST(self) -> None:
        self._tell(self.rfile.read(int(self.headers["Content-Length"])))

    def _tell(self, body: bytes) -> None:
        heard = {"path": self.path, "headers": dict(self.headers.items()), "length": len(body)}
        text = json.dumps(heard).encode()
        self._begin(len(text))
        self.wfile.write(text)

    def _begin(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.send_header("Set-Cookie", "one=1")
        self.send_header("Set-Cookie", "two=2")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def behind() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Behind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def committed_routes() -> list[Route]:
    return routes(Objects.read(ROOT / "dist" / "local"))


@pytest.fixture(scope="module")
def door(
    behind: ThreadingHTTPServer, committed_routes: list[Route], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    folder: Path = tmp_path_factory.mktemp("door")
    with Door(data=folder, certificate=issue(folder / "tls"), routes=committed_routes) as door:
        door.lead_to({"mlflow:5000": [behind.server_port]})
        yield door


@pytest.fixture
def client(door: Door) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"https://localhost:{door.port}", verify=door.certificate.context()) as client:
        yield client


def test_a_request_arrives_as_it_was_sent(client: httpx.Client, door: Door) -> None:
    answer = client.post("/a%20b/c?d=e%2Ff&g", content=b"x" * 3_000_000, headers={"Authorization": "Bearer t"})

    heard = answer.json()
    assert heard["path"] == "/a%20b/c?d=e%2Ff&g"
    assert heard["length"] == 3_000_000
    assert heard["headers"]["Authorization"] == "Bearer t"
    assert heard["headers"]["Host"] == f"localhost:{door.port}"
    assert answer.headers.get_list("set-cookie") == ["one=1", "two=2"]


def test_what_a_client_claims_of_the_way_is_replaced_as_the_middleware_says(client: httpx.Client, door: Door) -> None:
    claims = {"X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil", "X-Forwarded-For": "10.0.0.1"}

    answer = client.get("/", headers={**claims, "X-Forwarded-Port": "1", "X-Real-Ip": "10.0.0.1"})

    heard = answer.json()["headers"]
    assert {name: value for name, value in heard.items() if name.startswith("X-")} == {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": f"localhost:{door.port}",
        "X-Forwarded-Proto": "https",
        "X-Real-Ip": "127.0.0.1",
    }
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_another_host_leads_nowhere(client: httpx.Client) -> None:
    assert client.get("/", headers={"Host": "mlflow.example.net"}).status_code == 404


def test_an_answer_flows_before_it_is_whole(client: httpx.Client) -> None:
    Behind.go_on.clear()

    with client.stream("GET", "/slow") as answer:
        chunks = answer.iter_raw()
        first = next(chunks)
        Behind.go_on.set()
        rest = b"".join(chunks)

    assert (first, rest) == (b"first", b"later")


def test_an_answer_that_breaks_off_does_not_look_whole(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/broken")


def test_without_a_ready_pod_nobody_answers(client: httpx.Client, door: Door, behind: ThreadingHTTPServer) -> None:
    door.lead_to({})
    missing = client.get("/")
    door.lead_to({"mlflow:5000": [door.port + 1]})
    gone = client.get("/")
    door.lead_to({"mlflow:5000": [behind.server_port]})

    assert (missing.status_code, gone.status_code) == (503, 502)
    assert client.get("/").status_code == 200
