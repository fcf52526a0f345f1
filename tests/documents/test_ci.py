"""What .ci/run does with suites that fail or hang; a stand-in for make records which ran."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import ROOT

MAKE = """#!/usr/bin/env bash
echo "begin $1" >>calls
echo "$DEPTH" >depth
echo "output of $1"
[ "$1" != "$FAILING" ] || exit 3
[ "$1" != "$HANGING" ] || sleep 600
echo "end $1" >>calls
"""
SUITES = {
    *("test", "check", "setup-dev", "setup-image", "docs", "cdk8s-synth", "test-package", "test-bootstrap"),
    *("test-image", "test-servers", "test-live", "test-node", "node-programs"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with .ci/run, and programs that do nothing."""
    folder = tmp_path / "checkout"
    for name, text in {"bin/make": MAKE, ".venv/bin/python": "#!/bin/sh\n"}.items():
        program = folder / name
        program.parent.mkdir(parents=True)
        program.write_text(text)
        program.chmod(0o755)
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", folder / ".ci/run")
    # .ci/run asks git whether dist/ differs.
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


def start(
    checkout: Path, *arguments: str, failing: str = "", hanging: str = "", lanes: int = 3
) -> "subprocess.Popen[str]":
    path = f"{checkout / 'bin'}:{os.environ['PATH']}"
    suites = {"FAILING": failing, "HANGING": hanging, "LANES": str(lanes)}
    # What it leaves in the temporary folder lies beside the checkout then, where it is seen.
    variables = {**os.environ, "PATH": path, "TMPDIR": str(checkout.parent), **suites}
    return subprocess.Popen([checkout / ".ci/run", *arguments], env=variables, stdout=-1, stderr=-1, text=True)


def calls(checkout: Path) -> list[str]:
    file = checkout / "calls"
    return file.read_text().splitlines() if file.exists() else []


def test_run_calls_every_suite_and_times_it(checkout: Path) -> None:
    with start(checkout) as running:
        printed, errors = running.communicate()

    times = printed.partition("minutes:seconds of each suite")[2]
    assert running.returncode == 0, errors
    assert set(calls(checkout)) == {f"{verb} {name}" for verb in ("begin", "end") for name in SUITES}
    assert (checkout / "depth").read_text() == "change\n"
    # Beside the suites: the comparison of dist/, and the sum.
    assert {line.split()[-1] for line in times.split("\n") if line} == {*SUITES, "dist", "all"}
    assert all(printed.count(f"output of {name}\n") == 1 for name in SUITES)


def test_run_tries_all_if_told(checkout: Path) -> None:
    with start(checkout, "all") as running:
        running.communicate()

    assert running.returncode == 0
    assert {line.split()[1] for line in calls(checkout)} == {*SUITES, "drill"}
    assert (checkout / "depth").read_text() == "all\n"


def test_run_refuses_what_it_does_not_know(checkout: Path) -> None:
    with start(checkout, "night") as running:
        _, errors = running.communicate()

    assert (running.returncode, errors) == (2, "error: unknown argument night; run .ci/run, or .ci/run all\n")
    assert calls(checkout) == []


@pytest.mark.parametrize("name", ["test", "cdk8s-synth", "test-image", "node-programs", "test-node"])
def test_run_fails_with_any_suite(checkout: Path, name: str) -> None:
    with start(checkout, failing=name) as running:
        printed, errors = running.communicate()

    assert running.returncode != 0
    assert f"== {name}: exit code 3\noutput of {name}\n" in printed
    assert name in errors


def test_run_fails_if_dist_differs(checkout: Path) -> None:
    (checkout / "dist").mkdir()
    (checkout / "dist/new.yaml").touch()

    # One by one, or the other lane may have begun the next suite before.
    with start(checkout, lanes=1) as running:
        _, errors = running.communicate()

    assert running.returncode != 0
    assert "error: failed: dist" in errors
    assert "begin test-package" not in calls(checkout)


def test_run_without_memory_runs_one_by_one(checkout: Path) -> None:
    with start(checkout, lanes=1) as running:
        running.communicate()

    lines = calls(checkout)
    assert running.returncode == 0
    # One by one, each begin is followed by its own end.
    assert [line.split()[1] for line in lines[::2]] == [line.split()[1] for line in lines[1::2]]
    assert {line.split()[1] for line in lines} == SUITES


def test_run_without_memory_fails_with_any(checkout: Path) -> None:
    with start(checkout, failing="test-image", lanes=1) as running:
        _, errors = running.communicate()

    assert running.returncode == 1
    assert "error: failed: test-image" in errors
    assert "begin docs" not in calls(checkout)


def test_suites_on_nodes_wait_for_programs(checkout: Path) -> None:
    without_nodes = SUITES - {"node-programs", "test-node", "test-live"}
    with start(checkout, hanging="node-programs") as running:
        while not without_nodes <= {line.partition("end ")[2] for line in calls(checkout)}:
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)

    assert {line.split()[1] for line in calls(checkout)} == without_nodes | {"node-programs"}


def test_run_ends_its_suites_with_itself(checkout: Path) -> None:
    with start(checkout, hanging="test-live") as running:
        while "begin test-live" not in calls(checkout):
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        printed, _ = running.communicate(timeout=20)

    assert running.returncode == 130
    assert "end test-live" not in calls(checkout)
    assert "in all" in printed
    assert sorted(checkout.parent.iterdir()) == [checkout]
