"""The way to a plain MLflow by the commands of the page: its own server finds what ours has stored."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from blocks import blocks
from commands import ROOT
from pod import Database, Pod
from serving import API, START_SECONDS, Serving, Site, make_run

from live.servers.cache import debian_program
from live.servers.process import answers, free_port

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

COMMANDS = [command for block in blocks(ROOT / "docs/tasks/leave.md") for command in block.commands]
FILE = "/api/2.0/mlflow-artifacts/artifacts"


def command(beginning: str) -> str:
    """The one of the page."""
    (found,) = [one for one in COMMANDS if one.startswith(beginning)]
    return found


def run_command(beginning: str, environment: dict[str, str], folder: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", command(beginning)], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def plain_server(pod: Pod, store: str, folder: Path) -> Iterator[httpx.Client]:
    """MLflow's own, started as the page says on a free port."""
    port = free_port()
    # Each test has a bucket of its own.
    line = command("mlflow server").replace("s3://mlflow ", f"s3://{pod.bucket.name} ")
    login = {"AWS_ACCESS_KEY_ID": pod.bucket.server.root_user, "AWS_SECRET_ACCESS_KEY": pod.bucket.server.root_password}
    path = f"{pod.venv.path / 'bin'}:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(folder), "MLFLOW_S3_ENDPOINT_URL": pod.bucket.server.url, "STORE": store}
    with (folder / "plain.log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {line} --port {port} --workers 1"],
            # Its job runner starts six processes more, which import MLflow each.
            env={
                **environment,
                **login,
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            },
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait(process, f"{url}/health", folder / "plain.log")
            with httpx.Client(base_url=url, timeout=60) as client:
                yield client
        finally:
            # MLflow's command does not end the server that it has started.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:

    deadline = time.monotonic() + START_SECONDS
    while not answers(url):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def stored(client: httpx.Client, run: str) -> tuple[dict[str, float], str, bytes]:
    """Metrics of a run, its experiment's name and its artifact."""
    data = client.get(f"{API}/runs/get", params={"run_id": run}).raise_for_status().json()["run"]
    number = data["info"]["experiment_id"]
    experiment = client.get(f"{API}/experiments/get", params={"experiment_id": number}).json()["experiment"]
    content = client.get(f"{FILE}/{number}/{run}/artifacts/a.bin").raise_for_status().content
    return {metric["key"]: metric["value"] for metric in data["data"]["metrics"]}, experiment["name"], content


def log_everything(client: httpx.Client) -> str:
    """A run with a metric and an artifact."""
    run = make_run(client)
    body = {"run_id": run, "key": "loss", "value": 0.5, "timestamp": 1, "step": 1}
    client.post(f"{API}/runs/log-metric", json=body).raise_for_status()
    number = client.get(f"{API}/runs/get", params={"run_id": run}).json()["run"]["info"]["experiment_id"]
    client.put(f"{FILE}/{number}/{run}/artifacts/a.bin", content=b"stored before").raise_for_status()
    return run


def test_plain_mlflow_goes_on_with_everything(server: Serving, site: Site, tmp_path: Path) -> None:
    pod = site.pod
    with server.client("anna", site.keys["anna"]) as client:
        run = log_everything(client)
        before = stored(client, run)
    new = Database(server=pod.database.server)
    new.create()
    programs = debian_program("pg_dump", package="postgresql", folders="/usr/lib/postgresql/*/bin").parent
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "FROM": pod.database.dsn("mlflow"), "TO": new.dsn("mlflow")}

    run_command("pg_dump", environment, tmp_path)
    run_command("pg_restore", environment, tmp_path)

    login = f"{new.role}:{quote(new.password, safe='')}"
    store = f"postgresql+psycopg2://{login}@127.0.0.1:{new.server.port}/{new.name('mlflow')}"
    with plain_server(pod, store, tmp_path) as plain:
        assert stored(plain, run) == before
        assert stored(plain, log_everything(plain))[2] == b"stored before"
