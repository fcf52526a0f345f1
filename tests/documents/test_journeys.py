"""The documented commands that need no server, run as they stand, in the order in which a person would."""

import os
import pty
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from blocks import Block, block
from commands import ROOT
from installation import copy_checkout, set_up
from where_tried import JOURNEY, where_tried

JOURNEYS: dict[str, list[tuple[str, str]]] = {
    "start": [
        ("README.md", "make init"),
        ("docs/bootstrap.md", "make setup"),
        ("docs/tasks/upgrade.md", "python main.py upgrade"),
        ("docs/tasks/debug.md", "python main.py synth --check"),
    ],
    "install": [("docs/tasks/install.md", "make init"), ("docs/tasks/install.md", "make synth")],
    "take over": [("docs/tasks/take-over.md", "cdk8s-mlflow import-values")],
}
TYPED = "mlflow-staging.example.com\nauth.example.com\n"
"""What a person answers to `make init`."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what git has, in a path with a space, set up with the packages that are installed already."""
    folder = tmp_path / "my checkout"
    copy_checkout(folder, needed=_needed)
    set_up(folder)
    return folder


def _needed(name: str) -> bool:
    """One environment renders faster than all, as README says: "Remove those you do not need"."""
    rooms = ("Makefile", "mk/", "main.py", "bootstrap.py", "requirements/", "tools/run_uv.py", "pyproject.toml")
    own = ("environments/production.yaml", "environments/environment.schema.json", "dist/production/", ".gitignore")
    return name.startswith((*rooms, *own))


def run(shown: Block, folder: Path) -> "subprocess.CompletedProcess[str]":
    """The lines of ``shown`` that a journey runs, in one shell, with a person's answers on its terminal."""
    lines = [command for command in shown.commands if where_tried(command) is JOURNEY]
    ours, theirs = pty.openpty()
    os.write(ours, TYPED.encode())
    try:
        return subprocess.run(
            ["bash", "-eu", "-c", "\n".join(lines)],
            cwd=folder,
            env=_variables(folder),
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def _variables(folder: Path) -> Mapping[str, str]:
    """A shell in which the environment is active."""
    path = f"{folder / '.venv' / 'bin'}:{os.environ['PATH']}"
    # An editor that opens nothing, and fails if the guide names a file that does not exist.
    return {"PATH": path, "HOME": str(folder.parent), "EDITOR": "test -f", "GIT_PAGER": "cat"}


@pytest.mark.parametrize("journey", JOURNEYS)
def test_journey_runs_as_documented(checkout: Path, journey: str) -> None:
    shutil.copy(ROOT / "tests" / "manifests" / "imported" / "chart.yaml", checkout / "values.yaml")
    if journey == "take over":
        # The command creates an environment of this name.
        (checkout / "environments" / "production.yaml").unlink()

    runs = [run(block(document, first), checkout) for document, first in JOURNEYS[journey]]

    assert [done.returncode for done in runs] == [0] * len(runs), "".join(done.stdout + done.stderr for done in runs)
    assert not any(line for done in runs for line in done.stderr.splitlines() if "Traceback" in line)
    assert (checkout / "dist" / "staging" / "application").is_dir() == (journey != "take over")
    assert {path.name for path in checkout.parent.iterdir()} <= {"my checkout", ".cache"}
