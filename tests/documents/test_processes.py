"""How `make test` divides tests between two processes, tried on a small tree with the same conftest.py."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ROOT

MODULE = """
import os, pathlib, pytest

@pytest.mark.parametrize("number", range(6))
def test_one(number):
    with pathlib.Path(__file__).with_suffix(".txt").open("a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + " ")
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two files of a room, and two of the package."""
    for name in ("manifests/test_a.py", "manifests/test_b.py", "package/test_c.py", "package/test_d.py"):
        (tmp_path / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / name).write_text(MODULE)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    return tmp_path / "tests"


def test_processes_share_no_file_nor_package(tree: Path) -> None:
    options = ("-q", "--numprocesses", "2", "--dist", "loadgroup", "tests")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=tree.parent, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout
    workers = {path.stem: path.read_text().split() for path in tree.rglob("*.txt")}
    assert {name: len(found) for name, found in workers.items()} == dict.fromkeys(
        ("test_a", "test_b", "test_c", "test_d"), 6
    )
    assert all(len(set(found)) == 1 for found in workers.values())
    assert set(workers["test_c"]) == set(workers["test_d"])
