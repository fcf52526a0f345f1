"""``mlflow-sso serve`` from its first request to its last."""

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from serving import API, SERVER_SECRETS, Serving, Site, make_run, table_locked, together, wait_until_blocked

from live.processes import resident

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

PARENT_BYTES = 40 << 20
"""Memory of the process that starts the workers, at most."""

ACCEPTED_CONNECTION = """
import json, socket
from mlflow_sso.serve.server import bind_public_port
bound = bind_public_port("127.0.0.1", 0)
refused = socket.socket().connect_ex(bound.getsockname())
bound.listen()
client = socket.create_connection(bound.getsockname())
accepted, _ = bound.accept()
print(json.dumps({"refused": refused, "nodelay": accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)}))
"""


@pytest.fixture(scope="module")
def four_workers(site: Site) -> Iterator[Serving]:
    with Serving(pod=site.pod, workers=4) as serving:
        yield serving.wait()


def test_first_64_concurrent_requests_succeed_with_one_worker(site: Site) -> None:
    with Serving(pod=site.pod) as serving, serving.client("anna", site.keys["anna"]) as client:
        serving.wait()

        statuses = together(client, 64)

    assert statuses == [200] * 64


def test_first_64_concurrent_requests_succeed_with_four_workers(site: Site, four_workers: Serving) -> None:
    with four_workers.client("anna", site.keys["anna"]) as client:
        statuses = together(client, 64)

    assert statuses == [200] * 64


def test_metrics_count_every_worker(site: Site, four_workers: Serving) -> None:
    before, rounds = counted(four_workers), 0

    # A worker counts from its first request on, and the kernel chooses who accepts a connection.
    while rounds == 0 or (rounds < 20 and len(counters(four_workers)) < 4):
        rounds += 1
        with four_workers.client("anna", site.keys["anna"]) as client:
            together(client, 40)

    assert counted(four_workers) - before == 40 * rounds
    assert len(counters(four_workers)) == 4


def counters(serving: Serving) -> list[Path]:
    """A file for each worker that has counted something."""
    return list(Path(serving.scratch, "metrics").glob("counter_*.db"))


def test_slow_request_holds_up_no_other(site: Site, server: Serving) -> None:
    with server.client("anna", site.keys["anna"]) as client, ThreadPoolExecutor() as pool:
        run = make_run(client)
        with table_locked(site.pod, "runs"):
            slow = pool.submit(client.get, f"{API}/runs/get?run_id={run}")
            wait_until_blocked(site.pod, 1)

            other = client.get(f"{API}/experiments/search?max_results=5")
            done_meanwhile = slow.done()

    assert other.status_code == 200
    assert not done_meanwhile
    assert slow.result().status_code == 200


def test_server_is_started_process_with_one_worker(server: Serving) -> None:
    parent, workers = server.process.pid, server.worker_processes()

    commands = [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in (parent, *workers)]

    assert len(workers) == 1
    assert [b"mlflow_sso.serve.server" in command for command in commands] == [False, True]
    assert b"serve" in commands[0]
    assert resident(parent) - resident(workers[0]) < PARENT_BYTES


def test_environment_of_parent_has_no_secret(site: Site, server: Serving) -> None:
    environment = Path(f"/proc/{server.process.pid}/environ").read_text()

    assert "OIDC_DISCOVERY_URL" in environment
    for secret in (*SERVER_SECRETS.values(), site.pod.database.password):
        # The client's id, which is in the names of modules, too.
        assert secret == "mlflow" or secret not in environment


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start it as another user")
def test_server_writes_only_to_mounted_directory(site: Site, server: Serving) -> None:
    with server.client("anna", site.keys["anna"]) as client:
        run = make_run(client)
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment_of(client, run)}/{run}/artifacts/note.txt"
        stored = client.put(path, content=b"a note")
        read = client.get(path)
        # Without the client's login, as from a browser.
        client.get("/", headers={"Accept": "text/html"}, auth=httpx.Auth())

    assert (stored.status_code, read.content) == (200, b"a note")
    assert Path(f"/proc/{server.process.pid}").stat().st_uid == server.user
    assert not (set(written_by(server.user)) - {server.scratch})


def test_metrics_are_only_on_their_port(server: Serving) -> None:
    public = [httpx.get(f"{server.url}{path}").status_code for path in ("/metrics", "/metrics/", "//metrics")]

    assert "mlflow_http_request_total" in server.metrics()
    # None is in the table of routes; one release asks for a login first.
    assert set(public) <= {401, 403}


def test_log_names_versions_and_settings_and_no_secret(site: Site, server: Serving) -> None:
    log = server.log.read_text()

    start = next(json.loads(line) for line in log.splitlines() if "starting the tracking server" in line)

    assert start["mlflow"] == site.pod.venv.release
    # Those of the two releases.
    assert start["plugin"] in ("5.6.1", "11.0.2")
    assert start["settings"]["MLFLOW_ARTIFACTS_DESTINATION"] == f"s3://{site.pod.bucket.name}"
    # The client's id stands in each address of a login.
    unspeakable = [value for name, value in SERVER_SECRETS.items() if not name.endswith("CLIENT_ID")]
    for secret in (*unspeakable, site.pod.database.password, *site.keys.values()):
        assert secret not in log


def test_no_secret_is_among_arguments(site: Site, server: Serving) -> None:
    processes = (server.process.pid, server.worker)
    arguments = "".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in processes)

    for secret in (*SERVER_SECRETS.values(), site.pod.database.password):
        assert secret == "mlflow" or secret not in arguments


def test_connections_wait_for_stores_and_send_at_once(site: Site) -> None:
    done = site.pod.python(ACCEPTED_CONNECTION)

    found = json.loads(done.stdout)
    assert found["nodelay"] == 1
    assert found["refused"] != 0


def test_port_that_is_taken_gives_one_line(site: Site, server: Serving) -> None:
    second = Serving(pod=site.pod, port=server.port).start()

    code = second.process.wait(60)

    assert code == 1
    assert f"cannot listen on 127.0.0.1:{server.port}" in second.log.read_text()
    assert "Traceback" not in second.log.read_text()


def counted(serving: Serving) -> int:
    """Requests with answer 200 that the metrics port counts."""
    lines = [line for line in serving.metrics().splitlines() if line.startswith("mlflow_http_request_total{")]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines if 'status="200"' in line)


def experiment_of(client: httpx.Client, run: str) -> str:
    return str(client.get(f"{API}/runs/get?run_id={run}").json()["run"]["info"]["experiment_id"])


def written_by(user: int) -> list[Path]:
    """The topmost files and directories of the user, wherever it can get to."""
    # Folders that the user cannot enter, and /proc, where its own process is.
    elsewhere = ["(", "-path", "/proc", "-o", "-type", "d", "!", "-perm", "-001", "!", "-user", str(user), ")"]
    found = subprocess.run(
        ["find", "/", *elsewhere, "-prune", "-o", "-user", str(user), "-prune", "-print"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [Path(line) for line in found.stdout.splitlines()]
