"""Builds the package, and an environment outside the checkout into which it is installed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MINIMAL = "ingress:\n  host: mlflow.example.com\nauthentication:\n  keycloak_host: auth.example.com\n"


@dataclass(frozen=True)
class Environment:
    """A Python environment into which the wheel is installed, and nothing of the checkout."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(
        self, *command: str | Path, cwd: Path, stdin: int | None = None, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program of the environment, or one of the system, in ``cwd``."""
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        # Variables of a virtual environment or of make would lead back into the checkout.
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "CDK8S", "MLFLOW", "MAKE", "MFLAGS"))
        }
        environment = {**clean, "PATH": path, **variables}
        return subprocess.run(
            command, cwd=cwd, env=environment, stdin=stdin, capture_output=True, text=True, check=False
        )


def copy_checkout(folder: Path, *, needed: Callable[[str], bool] = lambda name: True) -> None:
    """Copy what git has or would add, as far as ``needed``, and commit it there."""
    listed = subprocess.run(
        # With what is not committed yet, so that a change is tried before it is.
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and needed(name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    # git commits nothing without an identity, and a build machine has none.
    author = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    for arguments in (("init", "--quiet"), ("add", "--all"), (*author, "commit", "--quiet", "--message", "Begin")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)


def set_up(folder: Path) -> None:
    """The marks of `make setup`, newer than what they depend on, around the packages of this environment."""
    environment = folder / ".venv"
    environment.mkdir()
    # By links, for to install them anew takes minutes.
    installed = Path(sys.prefix)
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(installed / name)
    (environment / ".made").write_text(f"{folder.resolve()}\n")
    for mark in (".uv", ".run", ".dev", ".servers"):
        (environment / mark).touch()


def build(kind: str, *, source: Path, folder: Path) -> Path:
    """Build a ``wheel`` or an ``sdist`` of ``source`` into ``folder``, and return its path."""
    # The backend itself: `build` would download it into an environment of its own.
    code = f"import sys; from hatchling.build import build_{kind} as build; print(build(sys.argv[1]))"
    command = [sys.executable, "-c", code, folder]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True)
    return folder / done.stdout.split()[-1]


def uv(*arguments: str) -> None:
    """Run uv, the system's or the one that the set-up has installed."""
    program = shutil.which("uv") or Path(sys.executable).with_name("uv")
    done = subprocess.run([program, "--quiet", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
