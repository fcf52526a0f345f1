"""What is counted of a process and its descendants, while threads of it end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from live.processes import resident, tree
from testbed.processor_time import cpu_seconds

ROOT = Path(__file__).parents[2]
RESTLESS = """
import subprocess, sys, threading
child = subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"])
print(child.pid, flush=True)
while True:
    threads = [threading.Thread(target=lambda: None) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""

# As if the kernel had given the signal to another thread: no system call of the first one is interrupted.
ELSEWHERE = """
import signal, sys, threading, time
from live.__main__ import wait_for_signal

def interrupt():
    time.sleep(0.5)
    signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, lambda *_: sys.exit(7))
threading.Thread(target=interrupt, daemon=True).start()
wait_for_signal()
"""


def _process(proc: Path, pid: int, parent: int) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "stat").write_text(f"{pid} (a name) with (brackets) S {parent} 1 1 0")


def test_tree_follows_parents(tmp_path: Path) -> None:
    for pid, parent in {1: 0, 2: 1, 3: 1, 5: 3, 7: 6}.items():
        _process(tmp_path, pid, parent)
    # One that has ended while it was read.
    (tmp_path / "8").mkdir()

    assert tree(1, proc=tmp_path) == [1, 2, 3, 5]
    assert tree(8, proc=tmp_path) == []


def test_tree_of_an_ended_process_is_empty(tmp_path: Path) -> None:
    assert tree(1, proc=tmp_path) == []
    # Above the largest number that Linux gives to a process (proc(5), pid_max).
    assert cpu_seconds(2**22 + 1) == resident(2**22 + 1) == 0


@pytest.fixture
def restless() -> Iterator[tuple[int, int]]:
    """A process whose threads end all the time, and its child."""
    with subprocess.Popen([sys.executable, "-c", RESTLESS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        yield process.pid, child
        # It would outlive its parent.
        os.kill(child, 9)
        process.kill()


def test_tree_of_a_restless_process_is_whole(restless: tuple[int, int]) -> None:
    # when
    found = [tree(restless[0]) for _ in range(300)]

    # then
    assert all(set(restless) <= set(one) for one in found)
    assert all(cpu_seconds(restless[0]) > 0 for _ in range(50))
    assert all(resident(restless[0]) > 0 for _ in range(20))


def test_signal_that_another_thread_got_ends_the_wait() -> None:
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], cwd=ROOT, check=False, timeout=300)

    assert done.returncode == 7
