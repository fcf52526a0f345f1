"""Before login nothing is spent: floods without a login, wrong keys, slow clients, while users work on."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from raw_http import CHUNKED, Answer, chunks, connect, head, login, read, send, statuses
from serving import API, Serving, Site, make_users

from testbed.processor_time import cpu_seconds

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

MEBIBYTE = 1 << 20
SEARCH = f"{API}/experiments/search?max_results=5"


def seconds_of(client: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    client.get(path).raise_for_status()
    return time.perf_counter() - started


def written(server: Serving) -> int:
    """Bytes in the server's temporary directory, files without a name included."""
    size = 0
    for file in Path(f"/proc/{server.worker}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            if str(server.scratch) in str(file.readlink()):
                size += file.stat().st_size
    return size


@contextmanager
def opened(server: Serving, *requests: bytes, count: int) -> Iterator[None]:
    """Hold ``count`` connections for each of ``requests``, which are never finished."""
    with ExitStack() as stack:
        for _ in range(count):
            for request in requests:
                stack.enter_context(connect(server.port)).sendall(request)
        yield


def test_requests_without_their_body_hold_nothing(site: Site, server: Serving) -> None:
    paths = ("/login", "/callback", "/oidc/ui/x", "/slo/x", "/graphql", SEARCH, "/api/2.0/mlflow/runs/create")
    unfinished = [head("POST", path, "Content-Length: 100") for path in paths]
    unfinished += [head("POST", "/login", CHUNKED) + b"5\r\nhel", head("POST", "/login", "Cookie: a=b", CHUNKED)]

    with opened(server, *unfinished, count=45), server.client("anna", site.keys["anna"]) as client:
        seconds = [seconds_of(client, path) for path in (SEARCH, "/health", SEARCH)]

    # Before a request without a slot would be refused (``LONGEST_WAIT`` of serve/threads.py).
    assert max(seconds) < 20


# Above the 64 KiB that a request without a login may have.
LARGE = 70_000


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/login", (f"Content-Length: {LARGE}",), 413),
        ("POST", "/login", (f"Content-Length: {300 * MEBIBYTE}", "Cookie: session=x"), 413),
        ("POST", "/callback", ("Content-Length: 99999999999", "Authorization: Bearer x"), 413),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/x/artifacts/a", (f"Content-Length: {LARGE}",), 413),
        ("POST", f"{API}/runs/create", ("Content-Length: 5",), 401),
        ("POST", f"{API}/runs/create", (CHUNKED,), 401),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/x/artifacts/a", (CHUNKED,), 401),
        ("POST", "/graphql", ("Content-Length: 5",), 401),
        ("POST", f"{API}/runs/create", (f"Content-Length: {40 * MEBIBYTE}", "Authorization: Bearer x"), 413),
        ("POST", "//api/2.0/mlflow/runs/create", (f"Content-Length: {LARGE}", "Cookie: a=b"), 413),
        ("GET", "/health/ready", (f"Content-Length: {LARGE}",), 413),
        # From here on just above each limit of serve/head.py.
        ("GET", "/", tuple(f"X-{number}: 1" for number in range(101)), 431),
        ("GET", "/", ("X: " + "a" * 33_000,), 431),
        ("GET", "/?" + "a" * 17_000, (), 414),
    ],
)
def test_request_is_refused_by_its_head(
    server: Serving, method: str, path: str, headers: tuple[str, ...], status: int
) -> None:
    answer = send(server.port, head(method, path, *headers))

    # Above 32 KiB, uvicorn's parser is the one that refuses.
    assert answer.status in ({status, 400} if status == 431 else {status}), answer
    assert answer.header("connection") == "close"


def test_body_beyond_its_limit_is_cut(site: Site, server: Serving) -> None:
    piece = b"a" * 30_000
    anonymous = send(server.port, head("POST", "/login", CHUNKED) + chunks(piece, piece, piece))
    before = written(server)

    with connect(server.port) as connection:
        connection.sendall(head("POST", f"{API}/runs/create", login("anna", site.keys["anna"]), CHUNKED))
        with suppress(OSError):
            for _ in range(40):
                # Without the empty chunk at its end, so that the body goes on.
                connection.sendall(chunks(b"a" * MEBIBYTE).removesuffix(b"0\r\n\r\n"))
        answer = read(connection)

    assert anonymous.status in (401, 403, 404, 405, 413), anonymous
    assert answer.status == 413, answer
    assert written(server) <= before + MEBIBYTE


def test_anonymous_upload_reads_no_body(server: Serving) -> None:
    path = "/api/2.0/mlflow-artifacts/artifacts/1/x/artifacts/large.bin"
    with connect(server.port) as connection:
        connection.sendall(head("PUT", path, f"Content-Length: {300 * MEBIBYTE}"))
        answer = read(connection)
        for _ in range(20):
            # As clients do that read no answer before they have sent everything.
            connection.sendall(b"a" * MEBIBYTE)

    assert answer.status == 413
    assert written(server) < MEBIBYTE


def test_wrong_keys_delay_no_other_request(site: Site, server: Serving) -> None:
    # The newcomer's key is not remembered yet.
    keys = make_users(site.pod, "newcomer", "victim")
    with server.client("anna", site.keys["anna"]) as anna, httpx.Client(timeout=60) as probe:
        anna.get(SEARCH).raise_for_status()

        def wrong(number: int) -> Answer:
            return send(server.port, head("GET", SEARCH, login("victim", f"wrong-{number}"), "Connection: close"))

        with ThreadPoolExecutor(150) as pool:
            flood = [pool.submit(wrong, number) for number in range(600)]
            health = [probe.get(server.health_url) for _ in range(3)]
            alive = probe.get(f"http://127.0.0.1:{server.metrics_port}/health")
            known = seconds_of(anna, SEARCH)
            with server.client("newcomer", keys["newcomer"]) as newcomer:
                fresh = newcomer.get(SEARCH)
            answers = [one.result() for one in flood]

    assert [one.status_code for one in health] + [alive.status_code, fresh.status_code] == [200] * 5
    assert known < 30
    assert set(statuses(answers)) <= {401, 429}
    refused = [answer for answer in answers if answer.status == 429]
    assert all(answer.header("retry-after") == "1" for answer in refused)
    if site.pod.venv.release == "3.6.0":
        assert len(refused) > 300


@pytest.mark.parametrize("form", ["basic", "basic with a prefix", "bearer with a prefix"])
def test_unknown_user_costs_as_much_as_known_one(site: Site, server: Serving, form: str) -> None:
    known, unknown = ("mlf_" + site.keys["bert"][4:12], "mlf_00000000") if "prefix" in form else ("wrong", "wrong")

    def header(user: str, key: str, number: int) -> str:
        return f"Authorization: Bearer {key}_{number}" if "bearer" in form else login(user, f"{key}_{number}")

    def seconds(user: str, key: str, number: int) -> float:
        before = cpu_seconds(server.worker)
        answer = send(server.port, head("GET", SEARCH, header(user, key, number), "Connection: close"))
        assert answer.status == 401, answer
        return cpu_seconds(server.worker) - before

    pairs = []
    for number in range(4):
        pairs.append((seconds("bert", known, number), seconds(f"unknown{number}", unknown, number)))
        # A name with wrong keys gets one try a second.
        time.sleep(1.1)

    # Of the processor, for which a server does not wait on a busy machine; without a hash it is about nothing.
    with_name, without = map(sum, zip(*pairs, strict=True))
    assert abs(with_name - without) < max(with_name, without) / 2 + 0.1, pairs
