"""Uploads and downloads share the room for files: one that finds none is told at once and changes nothing."""

import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from raw_http import Answer, connect, head, login, send
from serving import API, Serving, Site, make_run
from waiting import wait_for

from mlflow_sso.serve.disk import DiskSpace, Reservation

pytestmark = pytest.mark.either_release

ROOM = 64 << 20
T = TypeVar("T")


def test_room_is_shared_and_given_back() -> None:
    space = DiskSpace(100)
    first, second = Reservation(space), Reservation(space)

    taken = [first.grow(60), second.grow(60), second.grow(40), first.grow(1)]
    first.release()
    first.release()

    assert taken == [True, False, True, False]
    assert (space.taken, second.grow(60), space.taken) == (40, True, 100)


def test_room_without_limit_is_counted() -> None:
    space = DiskSpace()

    assert Reservation(space).grow(1 << 50)
    assert space.taken == 1 << 50


@pytest.fixture(scope="module")
def small(site: Site) -> Iterator[Serving]:
    """A server with little room."""
    with Serving(pod=site.pod, environment={"MLFLOW_SSO_TEMPORARY_SPACE": str(ROOM)}) as server:
        yield server.wait()


@contextmanager
def begun(server: Serving, request: bytes) -> Iterator[None]:
    """An upload whose sender was told to go on, and which has room by then."""
    with connect(server.port) as connection:
        connection.sendall(request)
        # The server asks for a body only once there is room for it.
        assert b"100 Continue" in connection.recv(1 << 16)
        yield


def send_until_room(server: Serving, *parts: bytes) -> Answer:
    """As MLflow's clients do; a request that has just ended may not have given its room back yet."""
    return until_room(lambda: send(server.port, *parts), lambda answer: answer.status)


def get_until_room(client: httpx.Client, url: str) -> httpx.Response:
    return until_room(lambda: client.get(url), lambda answer: answer.status_code)


def until_room(ask: Callable[[], T], status: Callable[[T], int]) -> T:
    """The first answer that is not 503."""
    answers: list[T] = []

    def has_room() -> bool:
        answers.append(ask())
        return status(answers[-1]) != 503

    wait_for(has_room)
    return answers[-1]


def refusals(server: Serving) -> float:
    """How many found no room."""
    found = re.search(r'refused_requests_total\{reason="room",status="503"\} (\S+)', server.metrics())
    return float(found[1]) if found else 0.0


def put_directly(site: Site, name: str, content: bytes) -> None:
    bucket = site.pod.bucket
    bucket.client.put_object(bucket.name, name, BytesIO(content), len(content))


@pytest.mark.servers
def test_upload_waits_for_room(small: Serving, site: Site) -> None:
    # given
    with small.client("anna", site.keys["anna"]) as client:
        run = client.get(f"{API}/runs/get?run_id={make_run(client)}").json()["run"]["info"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/{run['experiment_id']}/{run['run_id']}/artifacts"
    # An upload takes its size twice: as body, and as MLflow's copy.
    content, credentials = os.urandom(25_000_000), login("anna", site.keys["anna"])
    length = f"Content-Length: {len(content)}"

    # when
    with begun(small, head("PUT", f"{path}/a", credentials, length, "Expect: 100-continue")):
        refused = send(small.port, head("PUT", f"{path}/b", credentials, length, "Expect: 100-continue"), b"")
        chunked = head("PUT", f"{path}/c", credentials, "Transfer-Encoding: chunked")
        cut = send(small.port, chunked, b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content))
    later = send_until_room(small, head("PUT", f"{path}/b", credentials, length), content)
    huge = send(small.port, head("PUT", f"{path}/d", credentials, "Content-Length: 40000000"), b"")

    # then
    assert (refused.status, refused.header("retry-after")) == (503, "5")
    assert (cut.status, later.status, huge.status) == (503, 200, 413)
    stored = {name.rsplit("/", 1)[-1] for name in site.pod.bucket.objects(f"{run['experiment_id']}/{run['run_id']}")}
    assert stored == {"b"}
    assert 'mlflow_sso_refused_requests_total{reason="room",status="503"}' in small.metrics()


LOG_ARTIFACT = """
import pathlib, sys, time
from mlflow import MlflowClient
file = pathlib.Path(sys.argv[2])
file.write_bytes(b"x" * 25_000_000)
file.with_name("ready").touch()
while not file.with_name("go").exists():
    time.sleep(0.05)
MlflowClient().log_artifact(sys.argv[1], str(file))
"""


@pytest.mark.servers
def test_official_client_waits_for_room(small: Serving, site: Site, tmp_path: Path) -> None:
    # given
    with small.client("anna", site.keys["anna"]) as client:
        run = client.get(f"{API}/runs/get?run_id={make_run(client)}").json()["run"]["info"]
    folder = f"{run['experiment_id']}/{run['run_id']}/artifacts"
    request = head(
        "PUT",
        f"/api/2.0/mlflow-artifacts/artifacts/{folder}/held",
        login("anna", site.keys["anna"]),
        "Content-Length: 25000000",
        "Expect: 100-continue",
    )
    user = {"MLFLOW_TRACKING_USERNAME": "anna@example.com", "MLFLOW_TRACKING_PASSWORD": site.keys["anna"]}
    before, file = refusals(small), tmp_path / "sent"

    # when
    with ThreadPoolExecutor(1) as pool:
        upload = pool.submit(
            site.pod.python, LOG_ARTIFACT, run["run_id"], str(file), MLFLOW_TRACKING_URI=small.url, **user
        )
        # Its imports take longer on a busy machine than a request may stand still.
        while not file.with_name("ready").exists() and not upload.done():
            time.sleep(0.2)
        with begun(small, request):
            file.with_name("go").touch()
            while refusals(small) == before and not upload.done():
                time.sleep(0.2)
        done = upload.result()

    # then
    assert done.code == 0, done.stderr
    assert refusals(small) > before
    assert site.pod.bucket.objects(folder) == [f"{folder}/sent"]


@pytest.mark.servers
def test_download_waits_for_room(small: Serving, site: Site) -> None:
    with small.client("anna", site.keys["anna"]) as client:
        run = client.get(f"{API}/runs/get?run_id={make_run(client)}").json()["run"]["info"]
        folder = f"{run['experiment_id']}/{run['run_id']}/artifacts"
        url = f"/api/2.0/mlflow-artifacts/artifacts/{folder}"
        put_directly(site, f"{folder}/fits", os.urandom(40_000_000))
        put_directly(site, f"{folder}/never", os.urandom(ROOM + 1))

        with client.stream("GET", f"{url}/fits") as first:
            second = client.get(f"{url}/fits")
            whole = first.read()
        third, never = get_until_room(client, f"{url}/fits"), client.get(f"{url}/never")

    assert (second.status_code, second.headers.get("retry-after")) == (503, "5")
    assert (len(whole), third.status_code, never.status_code) == (40_000_000, 200, 400)
