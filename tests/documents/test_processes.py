"""How processes share tests, tried on small trees with the same rules."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ROOT

RECORD = """
import os, pathlib, pytest

def record(file, text):
    with pathlib.Path(file).with_suffix(".txt").open("a") as found:
        found.write(f"{text}{os.environ['PYTEST_XDIST_WORKER']} ")
"""
MODULE = """
@pytest.mark.parametrize("number", range(6))
def test_one(number):
    record(__file__, "")
"""
OF_RELEASES = """
import time

@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("release", ["3.6.0", "3.17.2"])
def test_one(release, number):
    last = pathlib.Path(__file__).with_name("test_4.txt")
    # The first file of a release takes until another process has run the last one of it.
    deadline = time.monotonic() + 120
    while pathlib.Path(__file__).stem == "test_1" and release == "3.6.0":
        if last.exists() and "3.6.0" in last.read_text():
            break
        assert time.monotonic() < deadline
        time.sleep(0.02)
    record(__file__, f"{release}:")
"""
MARKED = """
@pytest.mark.servers
@pytest.mark.either_release
@pytest.mark.parametrize("release", ["3.6.0", "3.17.2"])
def test_either(release):
    record(__file__, f"either-{release}:")

@pytest.mark.servers
@pytest.mark.either_release
@pytest.mark.parametrize("release", ["3.6.0"])
def test_old_only(release):
    record(__file__, "old:")

@pytest.mark.servers
@pytest.mark.parametrize("release", ["3.6.0", "3.17.2"])
def test_both(release):
    record(__file__, f"both-{release}:")

@pytest.mark.servers
@pytest.mark.nightly
def test_long():
    record(__file__, "long:")

def test_without_servers():
    record(__file__, "without:")
"""
CONFTEST = """
from by_release import ByRelease

def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False
    return ByRelease(config, log)
"""


def run(folder: Path, *options: str, depth: str = "all") -> dict[str, list[str]]:
    """What the tests below ``folder`` recorded, by the name of their file, in two processes."""
    (folder / "pytest.ini").write_text(
        # Quoted, since pytest takes a space for the end of a path.
        f"[pytest]\naddopts = --import-mode=importlib\npythonpath = {shlex.quote(f'{ROOT}/tests/image')}\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "--numprocesses", "2", *options, "tests"]
    variables = {**os.environ, "DEPTH": depth}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return {path.stem: path.read_text().split() for path in folder.rglob("*.txt")}


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    """An empty folder of tests."""
    (tmp_path / "tests").mkdir()
    return tmp_path / "tests"


def test_processes_share_no_file_nor_package(tests: Path) -> None:
    for name in ("manifests/test_a.py", "manifests/test_b.py", "package/test_c.py", "package/test_d.py"):
        (tests / name).parent.mkdir(exist_ok=True)
        (tests / name).write_text(RECORD + MODULE)
    shutil.copy(ROOT / "tests" / "conftest.py", tests)

    workers = run(tests.parent, "--dist", "loadgroup")

    assert {name: len(found) for name, found in workers.items()} == dict.fromkeys(
        ("test_a", "test_b", "test_c", "test_d"), 6
    )
    assert all(len(set(found)) == 1 for found in workers.values())
    assert set(workers["test_c"]) == set(workers["test_d"])


def test_processes_keep_to_release_while_it_lasts(tests: Path) -> None:
    for number in range(1, 5):
        (tests / f"test_{number}.py").write_text(RECORD + OF_RELEASES)
    (tests / "test_5.py").write_text(RECORD + MODULE)
    (tests / "conftest.py").write_text(CONFTEST)

    found = run(tests.parent, "--dist", "loadscope")

    # One process each of a file and release.
    workers = {
        (name, release): {one.partition(":")[2] for one in ones if one.startswith(release)}
        for name, ones in found.items()
        for release in ("3.6.0", "3.17.2")
        if name != "test_5"
    }
    (busy,), (free,) = workers["test_1", "3.6.0"], workers["test_1", "3.17.2"]
    assert busy != free
    assert set().union(*(workers[f"test_{number}", "3.17.2"] for number in range(1, 5))) == {free}
    assert all(len(one) == 1 for one in workers.values())
    assert workers["test_4", "3.6.0"] == {free}
    assert len(found["test_5"]) == 6


def test_change_tries_promises_on_one_release(tests: Path) -> None:
    for number in range(8):
        (tests / f"test_{number}.py").write_text(RECORD + MARKED)
    shutil.copy(ROOT / "tests" / "conftest.py", tests)

    found = run(tests.parent, depth="change")

    tried = {name: sorted(one.partition(":")[0] for one in ones) for name, ones in found.items()}
    others = {tuple(one for one in ones if "either" not in one) for ones in tried.values()}
    assert others == {("both-3.17.2", "both-3.6.0", "old")}
    # Both by turns, so that each file has one and neither release has all.
    assert {len(ones) for ones in tried.values()} == {4}
    assert {one for ones in tried.values() for one in ones if "either" in one} == {"either-3.6.0", "either-3.17.2"}


def test_suite_leaves_nothing_out(tests: Path) -> None:
    (tests / "test_1.py").write_text(RECORD + MARKED)
    shutil.copy(ROOT / "tests" / "conftest.py", tests)

    assert len(run(tests.parent)["test_1"]) == 7
