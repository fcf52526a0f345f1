"""Workers import MLflow while the databases are looked at, and open nothing before that has been done."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pod import Pod
from serving import SETTINGS, Serving, mount_server_secrets
from supervising import supervise
from waiting import wait_for

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


def waiting(folder: Path) -> list[int]:
    """The two workers, once both wait."""
    wait_for(lambda: len(seen(folder, "before")) == 2)
    return seen(folder, "before")


def seen(folder: Path, where: str) -> list[int]:
    """Workers that have come to a place of ``WORKER``."""
    return [int(file.name.partition("-")[2]) for file in (folder / "workers").glob(f"{where}-*")]


def test_open_gate_lets_every_worker_pass(tmp_path: Path) -> None:
    with supervise(tmp_path, WORKER, opened=False) as supervisor:
        workers = waiting(tmp_path)
        passed_before = seen(tmp_path, "after")
        (tmp_path / "open").touch()
        code = supervisor.wait()

    assert passed_before == []
    assert code == 0
    assert set(seen(tmp_path, "after")) == set(workers)


@pytest.mark.parametrize("end", ["failure", "kill"])
def test_no_worker_outlives_closed_gate(tmp_path: Path, end: str) -> None:
    with supervise(tmp_path, WORKER, opened=False) as supervisor:
        workers = waiting(tmp_path)
        if end == "kill":
            supervisor.kill()
        else:
            (tmp_path / "broken").touch()
        code = supervisor.wait()

    assert code == (-signal.SIGKILL if end == "kill" else 75)
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert seen(tmp_path, "after") == []


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
