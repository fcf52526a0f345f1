"""Requests that a proxy could read in another way than the server: at most one is answered, and none of it served."""

import re

import pytest
from raw_http import CHUNKED, exchange, head, login
from serving import API, Serving, Site

pytestmark = pytest.mark.servers

SEARCH = f"{API}/experiments/search?max_results=5"
CREATE = f"{API}/experiments/create"
HIDDEN = head("GET", "/health", "Connection: close")
"""What an attacker hides in a body, to be taken for the next request of another user."""


def answers(port: int, request: bytes) -> list[int]:
    """Status of each answer."""
    return [int(status) for status in re.findall(rb"(?m)^HTTP/1\.[01] (\d{3}) ", exchange(port, request))]


FRAMINGS = {
    "two lengths": ("Content-Length: 5", f"Content-Length: {5 + len(HIDDEN)}"),
    "two lengths, longer first": (f"Content-Length: {5 + len(HIDDEN)}", "Content-Length: 5"),
    "lengths in a list": (f"Content-Length: 5, {5 + len(HIDDEN)}",),
    "length and chunks": ("Content-Length: 5", CHUNKED),
    "chunks and length": (CHUNKED, "Content-Length: 5"),
    "length with a sign": ("Content-Length: +5",),
    "negative length": ("Content-Length: -5",),
    "length in hexadecimals": ("Content-Length: 0x5",),
    "length with an underscore": ("Content-Length: 5_0",),
    "length with a space": ("Content-Length: 5 5",),
    "length without a value": ("Content-Length:",),
    "length beyond 64 bits": ("Content-Length: 18446744073709551621",),
    "space before the colon": ("Transfer-Encoding : chunked",),
    "chunks that are not last": ("Transfer-Encoding: chunked, identity",),
    "unknown coding": ("Transfer-Encoding: xchunked",),
    "chunks after a vertical tab": ("Transfer-Encoding: \x0bchunked",),
    "name without a colon": ("Content-Length 5", "Content-Length: 5"),
    "zero byte in a name": ("Content\x00-Length: 5",),
    "zero byte in a value": ("X: a\x00b", "Content-Length: 5"),
    "lone carriage return": ("X: a\rTransfer-Encoding: chunked", "Content-Length: 5"),
}


@pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS)
def test_body_of_two_lengths_is_refused(server: Serving, site: Site, framing: tuple[str, ...]) -> None:
    for headers in (framing, (*framing, login("anna", site.keys["anna"]))):
        request = head("POST", CREATE, "Content-Type: application/json", *headers)

        found = answers(server.port, request + b"0\r\n\r\n" + HIDDEN)

        assert len(found) == 1, found
        assert found[0] in (400, 401, 413, 501), found


CHUNKS = {
    "hexadecimals with a prefix": b"0x0\r\n\r\n",
    "negative": b"-1\r\na\r\n0\r\n\r\n",
    "without a size": b"\r\n\r\n",
    "longer than said": b"1\r\nabc\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("body", CHUNKS.values(), ids=CHUNKS)
def test_broken_chunks_hide_no_request(server: Serving, site: Site, body: bytes) -> None:
    request = head("POST", CREATE, login("anna", site.keys["anna"]), "Content-Type: application/json", CHUNKED)

    found = answers(server.port, request + body + HIDDEN)

    assert len(found) <= 1, found
    assert set(found) <= {400, 413}, found


TARGETS = {
    "whole address": f"http://127.0.0.1{SEARCH}",
    "whole address of another host": f"http://169.254.169.254{SEARCH}",
    "only a host": f"//127.0.0.1{SEARCH}",
    "user and host": f"http://anna@127.0.0.1{SEARCH}",
    "everything": "*",
    "without a slash": SEARCH[1:],
    "with a fragment": f"{SEARCH}#/health",
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "CONNECT", "TRACE"])
def test_odd_targets_open_nothing(server: Serving, method: str, target: str) -> None:
    answer = exchange(server.port, head(method, target, "Connection: close"))

    # Release 3.6.0 answers an anonymous request with 200 and its page of login.
    assert answer.startswith(b"HTTP/1.1 4") or b"<title>Log in to MLflow</title>" in answer or method == "OPTIONS"
    assert b'"experiments"' not in answer


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_each_request_of_connection_has_own_login(server: Serving, site: Site, version: str) -> None:
    keep = "Connection: keep-alive"
    known = head("GET", SEARCH, login("anna", site.keys["anna"]), keep, version=version)
    anonymous = head("POST", CREATE, "Content-Length: 2", keep, version=version) + b"{}"

    found = answers(server.port, known + anonymous + known.replace(b"keep-alive", b"close"))

    assert found[:1] == [200]
    assert found[1:] in ([], [401], [401, 200])


@pytest.mark.parametrize("path", [SEARCH, "/", "/graphql", "/health", "/gateway/x/mlflow/invocations", "/ws"])
def test_no_path_becomes_websocket(server: Serving, site: Site, path: str) -> None:
    upgrade = (
        "Connection: Upgrade, close",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: " + "A" * 22 + "==",
    )
    anonymous = answers(server.port, head("GET", path, *upgrade))
    known = answers(server.port, head("GET", path, *upgrade, login("anna", site.keys["anna"])))

    assert 101 not in anonymous + known
    assert anonymous == answers(server.port, head("GET", path, "Connection: close"))
