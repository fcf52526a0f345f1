"""Programs and scripts in forks are as if each were a process of its own."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pod import Forks

pytestmark = pytest.mark.servers

WAIT = """
import pathlib, sys, time
ours, theirs = map(pathlib.Path, sys.argv[1:])
ours.touch()
while not theirs.exists():
    time.sleep(0.01)
print(ours.name)
"""
LATE = """
import atexit, sys, threading, time
atexit.register(print, "last")
threading.Thread(target=lambda: (time.sleep(0.2), print("late"))).start()
sys.exit("no more")
"""
SEES = "import os, tempfile; print(tempfile.gettempdir(), sorted(os.environ), os.read(0, 1))"


def test_forks_run_beside_each_other(forks: Forks, tmp_path: Path) -> None:
    one, two = str(tmp_path / "one"), str(tmp_path / "two")

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda names: forks.run(names, {}, script=WAIT), [(one, two), (two, one)]))

    assert [(run.code, run.stdout) for run in done] == [(0, "one\n"), (0, "two\n")]


def test_fork_has_nothing_of_its_origin(forks: Forks, tmp_path: Path) -> None:
    done = forks.run([], {"TMPDIR": str(tmp_path)}, script=SEES)

    assert (done.code, done.stdout) == (0, f"{tmp_path} ['TMPDIR'] b''\n")


def test_fork_ends_as_its_program_does(forks: Forks) -> None:
    failed = forks.run([], {}, script="raise ValueError('no')")
    refused = forks.run(["no-such-program"], {})
    killed = forks.run([], {}, script="import time; time.sleep(600)", kill_after=0.1)
    late = forks.run([], {}, script="import time; time.sleep(600)", longest=1)

    assert [run.code for run in (failed, refused, killed, late)] == [1, 2, -9, -14]
    assert failed.stderr.endswith("ValueError: no\n")
    assert "no-such-program" in refused.stderr


def test_fork_ends_as_late_as_its_threads(forks: Forks) -> None:
    done = forks.run([], {}, script=LATE)

    assert (done.code, done.stdout, done.stderr) == (1, "late\nlast\n", "no more\n")
