"""The process above several workers, tried with workers that need no MLflow."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from supervising import supervise
from waiting import wait_for

# Not `signal.pause`, which sees no signal of the moment before it: that would wait for the next one.
IDLE = "while True:\n    time.sleep(0.05)\n"
WORKER = f"""
import os, pathlib, signal, sys, time
folder, flag, descriptor = sys.argv[1:4]
os.fstat(int(descriptor))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(0))
if os.environ["VALUE"] == "broken":
    sys.exit(3)
pathlib.Path(folder, str(os.getpid())).write_text(os.environ["VALUE"])
pathlib.Path(folder, "../alive", str(os.getpid())).touch()
{IDLE}"""

SLOW_TO_LEAVE = WORKER.replace(
    "signal.SIGUSR1, lambda *_: sys.exit(0)",
    "signal.SIGUSR1, lambda *_: pathlib.Path(folder, '../draining', str(os.getpid())).touch()",
)
"""Works on its last request until it gets SIGTERM."""

HELD = SLOW_TO_LEAVE.replace(
    'pathlib.Path(folder, "../alive"',
    'while os.environ["VALUE"] == "second" and pathlib.Path(folder, "../hold").exists():\n    time.sleep(0.01)\n'
    'pathlib.Path(folder, "../alive"',
)
"""With the second value it does not answer while there is a file ``hold``."""

CANNOT_START = f"""
import os, pathlib, sys, time
try:
    pathlib.Path(sys.argv[1], "first").mkdir()
except FileExistsError:
    sys.exit(3)
import signal
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
{IDLE}"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Two workers, both up."""
    with supervise(tmp_path, WORKER) as process:
        wait_for_workers(tmp_path, 2)
        yield process


def wait_for_workers(folder: Path, count: int) -> set[int]:
    """Process numbers, once ``count`` have ever started."""

    def started() -> set[int]:
        return {int(file.name) for file in (folder / "workers").iterdir()}

    wait_for(lambda: len(started()) >= count)
    return started()


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


def change(folder: Path, value: str) -> None:
    """Have the workers get another value."""
    (folder / "new").write_text(value)
    (folder / "new").rename(folder / "changes" / "new")


def values(folder: Path) -> list[str]:
    """What the workers that run now were started with."""
    return sorted(file.read_text() for file in (folder / "workers").iterdir() if alive(int(file.name)))


def said(folder: Path) -> str:
    file = folder / "said"
    return file.read_text() if file.exists() else ""


@pytest.mark.usefixtures("supervisor")
def test_change_replaces_workers_one_by_one(tmp_path: Path) -> None:
    seen: set[tuple[str, ...]] = set()

    def replaced() -> bool:
        seen.add(tuple(values(tmp_path)))
        return said(tmp_path) == "replaced "

    change(tmp_path, "second")
    wait_for(replaced)

    assert values(tmp_path) == ["second", "second"]

    assert min(map(len, seen)) >= 2
    assert max(map(len, seen)) <= 3
    assert len(wait_for_workers(tmp_path, 4)) == 4


def test_change_waits_for_worker_that_drains(tmp_path: Path) -> None:
    (tmp_path / "draining").mkdir()
    with supervise(tmp_path, SLOW_TO_LEAVE):
        wait_for_workers(tmp_path, 2)
        change(tmp_path, "second")
        wait_for(lambda: list((tmp_path / "draining").iterdir()))
        # Several looks of the supervisor, each of which could start another.
        time.sleep(2)
        meanwhile = values(tmp_path)
        (draining,) = (tmp_path / "draining").iterdir()
        os.kill(int(draining.name), signal.SIGTERM)
        wait_for(lambda: len(list((tmp_path / "draining").iterdir())) == 2)
        # It works on its last request with the first value, so that the second is not the only one in use.
        time.sleep(2)
        before = values(tmp_path), said(tmp_path)
        for file in (tmp_path / "draining").iterdir():
            with suppress(ProcessLookupError):
                os.kill(int(file.name), signal.SIGTERM)
        wait_for(lambda: said(tmp_path) == "replaced ")
        afterwards = values(tmp_path)

    assert meanwhile == ["first", "first", "second"]
    assert before == (["first", "second", "second"], "")
    assert afterwards == ["second", "second"]


def test_worker_killed_during_replacement_leaves_none_over(tmp_path: Path) -> None:
    (tmp_path / "draining").mkdir()
    with supervise(tmp_path, HELD):
        before = wait_for_workers(tmp_path, 2)
        change(tmp_path, "second")
        wait_for(lambda: list((tmp_path / "draining").iterdir()))
        (draining,) = (int(file.name) for file in (tmp_path / "draining").iterdir())
        # The next one does not answer yet when the last of the old ones is killed.
        (tmp_path / "hold").touch()
        os.kill(draining, signal.SIGTERM)
        wait_for_workers(tmp_path, 4)
        (last,) = before - {draining}
        os.kill(last, signal.SIGKILL)
        wait_for_workers(tmp_path, 5)
        (tmp_path / "hold").unlink()
        wait_for(lambda: len(list((tmp_path / "draining").iterdir())) == 2)
        surplus = max(int(file.name) for file in (tmp_path / "draining").iterdir())
        os.kill(surplus, signal.SIGTERM)
        wait_for(lambda: values(tmp_path) == ["second", "second"] and said(tmp_path) == "replaced ")


def test_worker_killed_before_its_drain_ends_replacement(tmp_path: Path) -> None:
    (tmp_path / "draining").mkdir()
    with supervise(tmp_path, HELD):
        before = wait_for_workers(tmp_path, 2)
        (tmp_path / "hold").touch()
        change(tmp_path, "second")
        wait_for_workers(tmp_path, 3)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        # In their place, with what has been proven.
        wait_for_workers(tmp_path, 5)
        (tmp_path / "hold").unlink()
        for number in (1, 2):
            wait_for(lambda number=number: len(list((tmp_path / "draining").iterdir())) == number)
            for file in (tmp_path / "draining").iterdir():
                with suppress(ProcessLookupError):
                    os.kill(int(file.name), signal.SIGTERM)
        wait_for(lambda: values(tmp_path) == ["second", "second"] and said(tmp_path) == "replaced ")


def test_change_that_breaks_workers_keeps_them(supervisor: "subprocess.Popen[str]", tmp_path: Path) -> None:
    before = wait_for_workers(tmp_path, 2)

    change(tmp_path, "broken")
    wait_for(lambda: said(tmp_path) == "failed ")
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: len(wait_for_workers(tmp_path, 3)) == 3 and values(tmp_path) == ["first", "first"])
    change(tmp_path, "third")
    # Said once the last of the earlier ones has left, a moment after the new ones answer.
    wait_for(lambda: values(tmp_path) == ["third", "third"] and said(tmp_path) == "failed replaced ")

    assert supervisor.poll() is None


@pytest.mark.usefixtures("supervisor")
def test_change_during_replacement_reaches_every_worker(tmp_path: Path) -> None:
    change(tmp_path, "second")
    wait_for_workers(tmp_path, 3)
    change(tmp_path, "third")

    wait_for(lambda: values(tmp_path) == ["third", "third"])
    # It is said a moment after the last worker is ready.
    wait_for(lambda: said(tmp_path).split()[-1:] == ["replaced"])


# Kubernetes sends the first, a terminal the second.
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end_is_handed_on_and_waited_for(
    supervisor: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals
) -> None:
    workers = wait_for_workers(tmp_path, 2)

    supervisor.send_signal(number)

    assert supervisor.wait(30) == 0
    assert [alive(worker) for worker in workers] == [False, False]


def test_failing_worker_ends_server_with_its_code(tmp_path: Path) -> None:
    with supervise(tmp_path, CANNOT_START) as process:
        process.communicate(timeout=300)

    assert process.returncode == 3
