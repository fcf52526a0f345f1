"""Connections that stand still are cut, and too many of them leave room for users and probes."""

import json
import subprocess

import pytest
from pod import Venv

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SERVER = """
import asyncio, contextvars, json, os, socket, sys, tempfile, threading, time
tempfile.tempdir = tempfile.mkdtemp()
from uvicorn import Config
from mlflow_sso.serve import connections
from mlflow_sso.serve.admission import Admission
from mlflow_sso.serve.bodies import read_body
from mlflow_sso.serve.uvicorn_server import WatchedServer
connections.WINDOW_SECONDS = connections.HEAD_SECONDS = 3
connections.KEEP_ALIVE_SECONDS = float(sys.argv[2])
connections.LINGER_IDLE_SECONDS = connections.DRAINED_SECONDS = 1
connections.RESERVED_CONNECTIONS = 4
earlier = contextvars.ContextVar("earlier", default="none")
limits = connections.Limits(minimum_rate=200, connections=int(sys.argv[1]))

async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    large = scope["path"] == "/large"
    if scope["method"] == "POST" and scope["path"] != "/unread":
        body = await read_body(scope, receive)
        content = str(body.size).encode()
    elif scope["path"] == "/context":
        content = earlier.get().encode()
        earlier.set("an earlier one")
    else:
        content = b"a" * (64 << 20) if large else b"hello"
    length = str(len(content)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": content})

bound = socket.create_server(("127.0.0.1", 0))
port = bound.getsockname()[1]
config = Config(
    Admission(application), ws="none", log_level="error",
    http=type("Limited", (connections.Connection,), {"limits": limits}),
)
server = WatchedServer(config)
threading.Thread(target=server.run, args=([bound],), daemon=True).start()
while not server.started:
    time.sleep(0.05)

def opened(request=b""):
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(request)
    return connection

def answer(connection):
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
            if b"hello" in received or received.endswith(b"OK"):
                break
    except OSError:
        pass
    return received.split(b"\\r\\n")[0].decode()[9:12]

GET, POST = b"GET / HTTP/1.1\\r\\nHost: a\\r\\n", b"POST / HTTP/1.1\\r\\nHost: a\\r\\n"
def asked(path):
    connection = opened(f"GET {path} HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n".encode())
    with connection:
        return answer(connection)
"""

SLOW = (
    SERVER
    + """
silent, half, late = opened(), opened(GET), opened(GET + b"\\r\\n")
no_body = opened(POST + b"Content-Length: 100\\r\\n\\r\\n")
chunked = opened(POST + b"Transfer-Encoding: chunked\\r\\n\\r\\n5\\r\\nhel")
dripping = opened(POST + b"Content-Length: 50000\\r\\n\\r\\n")
steady = opened(POST + b"Content-Length: 6000\\r\\n\\r\\n")
patient = opened(POST + b"Content-Length: 5\\r\\nExpect: 100-continue\\r\\n\\r\\n")
reader = opened(b"GET /large HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
gone = opened(b"GET /large HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
head_drip = opened(b"GET / HT")
first = answer(late)
for step in range(12):
    for connection, piece in ((dripping, b"a"), (steady, b"a" * 500), (head_drip, b"a")):
        try:
            connection.sendall(piece)
        except OSError:
            pass
    time.sleep(0.5)
late_again = answer(late)  # closed: nothing more was asked
def left(connection):
    received = 0
    try:
        while piece := connection.recv(1 << 20):
            received += len(piece)
    except OSError:
        pass
    return received
print(json.dumps({
    "late": [first, late_again], "silent": answer(silent), "half": answer(half), "head_drip": answer(head_drip),
    "no_body": answer(no_body), "chunked": answer(chunked), "dripping": answer(dripping), "steady": answer(steady),
    "reader": left(reader) < 64 << 20, "gone": left(gone) < 64 << 20, "health": asked("/health"),
    "left": len(server.server_state.connections),
}))
"""
)

CROWD = (
    SERVER
    + """
limit = int(sys.argv[1])
working = [opened(POST + b"Content-Length: 100\\r\\n\\r\\n") for _ in range(limit)]
time.sleep(0.5)
full = [asked("/"), asked("/health")]
for connection in working:
    connection.close()
time.sleep(0.5)
idle = [opened(GET) for _ in range(limit + 20)]
time.sleep(0.5)
print(json.dumps({"full": full, "idle": [asked("/"), asked("/health")]}))
"""
)

REFUSED = (
    SERVER
    + """
connection = opened(b"POST /login HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 30000000\\r\\n\\r\\n")
try:
    for _ in range(30):
        connection.sendall(b"a" * 1_000_000)
    sent = True
except OSError:
    sent = False
early = opened(b"POST /unread HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 30000\\r\\n\\r\\n" + b"a" * 10)
print(json.dumps({"sent": sent, "status": answer(connection), "early": answer(early)}))
"""
)


QUEUED = (
    SERVER
    + """
one = b"GET /context HTTP/1.1\\r\\nHost: a\\r\\n"
connection = opened(3 * (one + b"\\r\\n") + one + b"Connection: close\\r\\n\\r\\n")
received = b""
while piece := connection.recv(65536):
    received += piece
print(json.dumps({"own": received.count(b"\\r\\n\\r\\nnone"), "others": received.count(b"an earlier one")}))
"""
)


IDLE = (
    SERVER
    + """
unused, unused_drained = opened(), opened()
idle, next_half, drained, late = (opened(GET + b"\\r\\n") for _ in range(4))
first = [answer(one) for one in (idle, next_half, drained, late)]
time.sleep(4)
unused.sendall(GET + b"\\r\\n")
next_half.sendall(GET)
idle.sendall(GET + b"\\r\\n")
second = answer(idle)
half = answer(next_half)
server.drain()
late.sendall(GET)
time.sleep(0.5)
late.sendall(b"\\r\\n")
late_answer = late.recv(65536)
print(json.dumps({
    "first": first, "second": second, "half": half, "unused": answer(unused),
    "drained": [answer(drained), answer(unused_drained)],
    "late": [late_answer[9:12].decode(), b"connection: close" in late_answer]
}))
"""
)


def run(venv: Venv, script: str, *arguments: str) -> dict[str, object]:
    done = subprocess.run(
        [venv.python, "-c", script, *arguments], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_connection_that_stands_still_is_cut(venv: Venv) -> None:
    found = run(venv, SLOW, "100", "4")

    left = found.pop("left")
    assert found == {
        "late": ["200", ""],
        "silent": "",
        "half": "408",
        "head_drip": "408",
        "no_body": "408",
        "chunked": "408",
        "dripping": "408",
        "steady": "200",
        "reader": True,
        "gone": True,
        "health": "200",
    }
    assert isinstance(left, int)
    assert left <= 3


def test_idle_connection_outlives_proxys_patience(venv: Venv) -> None:
    found = run(venv, IDLE, "100", "60")

    assert found == {
        "first": ["200"] * 4,
        "second": "200",
        "half": "408",
        "unused": "200",
        "drained": ["", ""],
        "late": ["200", True],
    }


def test_too_many_connections_leave_room(venv: Venv) -> None:
    found = run(venv, CROWD, "20", "4")

    assert found == {"full": ["503", "200"], "idle": ["200", "200"]}


def test_queued_requests_share_no_context(venv: Venv) -> None:
    assert run(venv, QUEUED, "20", "4") == {"own": 4, "others": 0}


def test_refused_sender_sees_answer(venv: Venv) -> None:
    found = run(venv, REFUSED, "20", "4")

    assert found == {"sent": True, "status": "413", "early": "200"}
