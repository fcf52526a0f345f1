"""Workers import MLflow while the databases are looked at, and open nothing before that has been done."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pod import Pod
from serving import SETTINGS, Serving, mount_server_secrets
from waiting import wait_for

IMAGE = Path(__file__).parents[2] / "image"

SUPERVISOR = """
import os, pathlib, socket, sys, time
from mlflow_sso.serve.workers import Workers
folder, script = pathlib.Path(sys.argv[1]), sys.argv[2]
with socket.socket() as bound:
    workers = Workers(
        count=2, command=[sys.executable, "-c", script, str(folder)], descriptor=bound.fileno(),
        variables=dict(os.environ), heartbeats=folder, changes=type("Same", (), {"look": lambda self: None})(),
    )
    with workers.started() as gate:
        while not (folder / "open").exists():
            if (folder / "broken").exists():
                raise SystemExit(75)
            time.sleep(0.01)
        gate.open()
    sys.exit(workers.run())
"""
WORKER = """
import os, pathlib, sys
from mlflow_sso.serve import gate
folder = pathlib.Path(sys.argv[1])
gate.shut(int(sys.argv[5]))
(folder / f"before-{os.getpid()}").touch()
gate.wait()
# A second time there is nothing to wait for.
gate.wait()
(folder / f"after-{os.getpid()}").touch()
"""


def supervise(folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", SUPERVISOR, str(folder), WORKER]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(IMAGE)})


def waiting(folder: Path) -> list[int]:
    """The two workers, once both wait."""
    wait_for(lambda: len(list(folder.glob("before-*"))) == 2)
    return [int(file.name.partition("-")[2]) for file in folder.glob("before-*")]


def test_open_gate_lets_every_worker_pass(tmp_path: Path) -> None:
    with supervise(tmp_path) as supervisor:
        workers = waiting(tmp_path)
        passed_before = list(tmp_path.glob("after-*"))
        (tmp_path / "open").touch()

    assert passed_before == []
    assert supervisor.returncode == 0
    assert {file.name for file in tmp_path.glob("after-*")} == {f"after-{worker}" for worker in workers}


@pytest.mark.parametrize("end", ["failure", "kill"])
def test_no_worker_outlives_closed_gate(tmp_path: Path, end: str) -> None:
    with supervise(tmp_path) as supervisor:
        workers = waiting(tmp_path)
        if end == "kill":
            supervisor.kill()
        else:
            (tmp_path / "broken").touch()

    assert supervisor.returncode == (-signal.SIGKILL if end == "kill" else 75)
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert list(tmp_path.glob("after-*")) == []


@pytest.fixture
def early(make_pod: Callable[..., Pod]) -> Iterator[Serving]:
    """A server that waits for a migration, and its one worker with it."""
    pod = make_pod(**SETTINGS)
    mount_server_secrets(pod)
    with Serving(pod=pod, arguments=["--timeout", "300"]) as server:
        wait_for(lambda: "waiting for the migration" in server.log.read_text(), server.log.read_text)
        # It has begun to import MLflow, whose messages are protobuf's.
        wait_for(lambda: "google/_upb" in Path(f"/proc/{server.worker}/maps").read_text())
        yield server


@pytest.mark.servers
@pytest.mark.either_release
def test_worker_opens_stores_after_the_migration(early: Serving) -> None:
    worker = early.worker

    # A worker that finds no tables ends the server.
    assert early.pod.run("migrate").code == 0
    early.wait()

    assert early.worker_processes() == [worker]


@pytest.mark.servers
@pytest.mark.either_release
def test_end_during_the_wait_is_quiet(early: Serving) -> None:
    worker = early.worker

    code = early.stop()

    assert code == 0
    assert "Traceback" not in early.log.read_text()
    wait_for(lambda: not Path(f"/proc/{worker}").exists())
