"""The process above several workers, tried with workers that need no MLflow."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SUPERVISOR = """
import socket, sys
from mlflow_sso.serve.workers import Workers
folder, script = sys.argv[1:]
with socket.socket() as bound:
    command = [sys.executable, "-c", script, folder]
    sys.exit(Workers(count=2, command=command, descriptor=bound.fileno()).run())
"""

WORKER = """
import os, pathlib, signal, sys
folder, flag, descriptor = sys.argv[1:]
os.fstat(int(descriptor))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path(folder, str(os.getpid())).touch()
while True:
    signal.pause()
"""

CANNOT_START = """
import os, pathlib, sys
try:
    pathlib.Path(sys.argv[1], "first").mkdir()
except FileExistsError:
    sys.exit(3)
import signal
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.pause()
"""


def supervise(folder: Path, script: str) -> "subprocess.Popen[str]":
    image = Path(__file__).parents[2] / "image"
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, folder, script],
        env={**os.environ, "PYTHONPATH": str(image)},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Two workers, both up."""
    process = supervise(tmp_path, WORKER)
    wait_for_workers(tmp_path, 2)
    yield process
    process.terminate()
    process.communicate(timeout=30)


def wait_for_workers(folder: Path, count: int) -> set[int]:
    """Process numbers, once ``count`` have ever started."""
    deadline = time.monotonic() + 60
    while len(started := {int(file.name) for file in folder.iterdir()}) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return started


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_worker_that_was_killed_is_replaced(supervisor: "subprocess.Popen[str]", tmp_path: Path) -> None:
    killed, other = wait_for_workers(tmp_path, 2)

    os.kill(killed, signal.SIGKILL)

    (new,) = wait_for_workers(tmp_path, 3) - {killed, other}
    assert alive(other)
    assert alive(new)
    assert not alive(killed)
    assert supervisor.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end_is_handed_on_and_waited_for(
    supervisor: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals
) -> None:
    workers = wait_for_workers(tmp_path, 2)

    supervisor.send_signal(number)

    assert supervisor.wait(30) == 0
    assert [alive(worker) for worker in workers] == [False, False]


def test_failing_worker_ends_server_with_its_code(tmp_path: Path) -> None:
    process = supervise(tmp_path, CANNOT_START)

    process.communicate(timeout=60)

    assert process.returncode == 3
