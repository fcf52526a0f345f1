"""What large, slow and endless requests cost the real servers: memory that does not move, slots that stay free."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from raw_http import connect, head, login, read, send
from serving import API, Serving, Site, make_run

from live.processes import resident

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SIZE = 21_000_000
# A level takes six bytes.
DEPTH = SIZE // 6
NESTED = b'{"a":' * DEPTH + b"1" + b"}" * DEPTH
WIDE = b'{"a":[' + b"{}," * (SIZE // 3) + b"{}]}"
MEBIBYTE = 1 << 20
LENGTH = "Content-Length: {}"
SLOW = 45
"""More than the slots that work at once."""


@pytest.fixture(scope="module")
def fresh(site: Site) -> Iterator[Serving]:
    """A server of its own, whose memory no other test has grown."""
    with Serving(pod=site.pod) as server:
        yield server.wait()


def grown(server: Serving, before: int) -> float:
    """Mebibytes that its memory has grown by."""
    return (resident(server.process.pid) - before) / MEBIBYTE


@pytest.mark.parametrize("body", [NESTED, WIDE], ids=["nested", "wide"])
def test_large_json_is_read_after_the_login(site: Site, fresh: Serving, body: bytes) -> None:
    # given
    path, length = f"{API}/runs/search", LENGTH.format(len(body))
    strangers = [(), ("Cookie: session=x",), (login("anna", "wrong"),), ("Authorization: Bearer a.b.c",)]
    with fresh.client("anna", site.keys["anna"]) as anna:
        anna.get(f"{API}/experiments/search?max_results=1").raise_for_status()
    before = resident(fresh.process.pid)

    # when
    refused = [send(fresh.port, head("POST", path, *given, length), body) for given in strangers]
    anonymous = grown(fresh, before)
    known = send(fresh.port, head("POST", path, login("anna", site.keys["anna"]), length), body)

    # then
    # A browser whose session is unknown gets the login page on release 3.6.0.
    assert {answer.status for answer in refused} <= {200, 401, 413, 429, 503}
    assert all(b"runs" not in answer.body for answer in refused)
    # Less than the body: nothing has parsed it.
    assert anonymous < 16
    assert known.status in (400, 403)
    # As Python objects a body takes up to 30 times its size (serve/bodies.py).
    assert grown(fresh, before) < 900


def test_slow_clients_hold_no_slot(site: Site, fresh: Serving) -> None:
    # given
    with fresh.client("anna", site.keys["anna"]) as anna:
        run = anna.get(f"{API}/runs/get?run_id={make_run(anna)}").json()["run"]["info"]
        folder = f"{run['experiment_id']}/{run['run_id']}/artifacts"
        path = f"/api/2.0/mlflow-artifacts/artifacts/{folder}"
        anna.put(f"{path}/large", content=b"x" * (16 * MEBIBYTE)).raise_for_status()
        credentials = login("anna", site.keys["anna"])
        with ExitStack() as stack:
            writers = [stack.enter_context(connect(fresh.port, timeout=120)) for _ in range(SLOW)]
            readers = [stack.enter_context(connect(fresh.port, timeout=120)) for _ in range(SLOW)]

            # when
            for number, writer in enumerate(writers):
                writer.sendall(head("PUT", f"{path}/{number}", credentials, LENGTH.format(MEBIBYTE)) + b"x")
            for reader in readers:
                reader.sendall(head("GET", f"{path}/large", credentials))
            started, answers, health = time.monotonic(), [], []
            while time.monotonic() - started < 20:
                answers.append(anna.get(f"{API}/experiments/search?max_results=1").status_code)
                asked = time.monotonic()
                anna.get("/health").raise_for_status()
                health.append(time.monotonic() - asked)
                # Without a pause this client takes the processor that it asks about.
                time.sleep(0.05)
            ends = [read(writer).status for writer in writers]

    # then
    assert set(answers) == {200}
    # The median, for a busy machine delays single answers.
    assert sorted(health)[len(health) // 2] < 1
    assert set(ends) <= {0, 408}
    assert site.pod.bucket.objects(folder) == [f"{folder}/large"]
