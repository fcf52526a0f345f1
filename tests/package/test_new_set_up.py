"""A new repository set up by its own Makefile with pip, and rendered by the real cdk8s CLI."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from blocks import block
from installation import ROOT, Environment, copy_checkout, set_up

HOSTS = ("--mlflow-host", "mlflow.example.com", "--keycloak-host", "auth.example.com")
CLI = ROOT / "tools" / "cdk8s-cli" / "node_modules" / ".bin" / "cdk8s"

pytestmark = pytest.mark.downloads


def run(*command: str | Path, cwd: Path, path: str = "") -> "subprocess.CompletedProcess[str]":
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "MFLAGS"))}
    environment = {**variables, "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_new_repository_sets_itself_up(installed: Environment, tmp_path: Path) -> None:
    project = tmp_path / "my mlflow"
    created = installed.run("cdk8s-mlflow", "new", str(project), *HOSTS, cwd=tmp_path)
    assert created.returncode == 0, created.stderr

    tested = run("make", "test", cwd=project)
    # The CLI is a program of Node.js.
    rendered = run(CLI, "synth", "--no-check-upgrade", cwd=project, path=str(ROOT / ".venv" / "node-bin"))
    # The CLI empties the output folder first, and must leave the same tree.
    retested = run("make", "test", cwd=project)

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert rendered.returncode == 0, rendered.stdout + rendered.stderr
    assert retested.returncode == 0, retested.stdout + retested.stderr


@pytest.mark.nightly
def test_documented_start_from_wheel_runs(tmp_path: Path) -> None:
    checkout, environment = tmp_path / "my checkout", tmp_path / "environment"
    copy_checkout(checkout)
    set_up(checkout)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    ours, theirs = pty.openpty()
    os.write(ours, b"mlflow.example.com\nauth.example.com\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "MFLAGS"))}

    done = subprocess.run(
        ["bash", "-euc", "\n".join(block("README.md", "make release").commands)],
        cwd=checkout,
        env={**clean, "PATH": f"{environment / 'bin'}:{os.environ['PATH']}"},
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(ours)
    os.close(theirs)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (checkout / "my-mlflow" / "dist" / "production" / "application").is_dir()
