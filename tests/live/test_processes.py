"""What is counted of a process and its descendants, while threads of it end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from live.processes import cpu_seconds, resident, tree

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


def _process(proc: Path, pid: int, threads: dict[int, str | None]) -> None:
    """Threads of a process with their children, or None for one that has just ended."""
    for thread, children in threads.items():
        folder = proc / str(pid) / "task" / str(thread)
        folder.mkdir(parents=True)
        if children is not None:
            (folder / "children").write_text(children)


def test_tree_passes_over_an_ended_thread(tmp_path: Path) -> None:
    # given
    _process(tmp_path, 1, {1: "2 ", 7: None, 8: "3 4 "})
    _process(tmp_path, 2, {2: None})
    _process(tmp_path, 3, {3: "5 "})
    _process(tmp_path, 4, {4: ""})

    # then
    assert tree(1, proc=tmp_path) == [1, 2, 3, 4]


def test_tree_of_an_ended_process_is_empty(tmp_path: Path) -> None:
    assert tree(1, proc=tmp_path) == []
    assert cpu_seconds(2**22 + 1) == resident(2**22 + 1) == 0


@pytest.fixture
def restless() -> Iterator[tuple[int, int]]:
    """A process whose threads end all the time, and its child."""
    with subprocess.Popen([sys.executable, "-c", RESTLESS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        yield process.pid, child
        os.kill(child, 9)
        process.kill()


def test_tree_of_a_restless_process_is_whole(restless: tuple[int, int]) -> None:
    # when
    found = [tree(restless[0]) for _ in range(300)]

    # then
    assert all(set(restless) <= set(one) for one in found)
    assert all(cpu_seconds(restless[0]) > 0 for _ in range(50))
    assert all(resident(restless[0]) > 0 for _ in range(20))
