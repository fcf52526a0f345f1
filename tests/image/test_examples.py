"""The guide's examples: each release's own client against its own server, and without a usable server."""

import subprocess
from pathlib import Path

import pytest
from pod import Venv
from serving import Serving, Site

from live.servers.process import free_port

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROGRAMS = sorted(file.name for file in EXAMPLES.glob("*.py") if file.name != "connection.py")
ARGUMENTS = {"large_artifact.py": ("large", "3")}
LAST_LINES = {
    "large_artifact.py": "3 MiB there and back, sha256 equal",
    "prompt.py": "prompt greeting version 1",
    "trace.py": "trace tr-",
    "train_iris.py": "iris-classifier version 1 is in Production",
}

pytestmark = [pytest.mark.servers, pytest.mark.nightly]


def run(venv: Venv, program: Path, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """``program`` in ``folder``, with ``variables`` and nothing else."""
    return subprocess.run(
        [str(venv.python), str(program), *ARGUMENTS.get(program.name, ())],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "MLFLOW_DISABLE_TELEMETRY": "true", **variables},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def assert_refused(done: "subprocess.CompletedProcess[str]", folder: Path, reason: str) -> None:
    """One line on stderr with ``reason``, nothing on stdout, no file left in ``folder``."""
    assert (done.returncode, done.stdout) == (1, "")
    assert [reason in line for line in done.stderr.splitlines()] == [True], done.stderr
    assert {file.name for file in folder.iterdir()} <= {".env"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_example_reads_dotenv(venv: Venv, site: Site, server: Serving, name: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        f"MLFLOW_TRACKING_URI={server.url}\n"
        "MLFLOW_TRACKING_USERNAME=anna@example.com\n"
        f"MLFLOW_TRACKING_PASSWORD={site.keys['anna']}\n"
    )

    done = run(venv, EXAMPLES / name, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith(LAST_LINES[name])
    assert [file.name for file in tmp_path.iterdir()] == [".env"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_example_fails_without_server(venv: Venv, name: str, tmp_path: Path) -> None:
    done = run(venv, EXAMPLES / name, tmp_path)

    assert_refused(done, tmp_path, "error: no tracking server is set")


# Stores that MLflow's client would use by itself, and an address without a host.
@pytest.mark.parametrize("address", ["./mlruns", "sqlite:///mlflow.db", "databricks", "https://", "file:///tmp/mlruns"])
def test_example_fails_on_other_stores(venv: Venv, address: str, tmp_path: Path) -> None:
    done = run(venv, EXAMPLES / "prompt.py", tmp_path, MLFLOW_TRACKING_URI=address)

    assert_refused(done, tmp_path, "error: no tracking server is set")
    assert address in done.stderr


def test_example_fails_without_answer(venv: Venv, tmp_path: Path) -> None:
    # With a login in the address, which the message must not repeat.
    address = f"http://someone:hidden@127.0.0.1:{free_port()}"
    (tmp_path / ".env").write_text(f"MLFLOW_TRACKING_URI={address}\n")

    done = run(venv, EXAMPLES / "large_artifact.py", tmp_path)

    assert_refused(done, tmp_path, "does not answer")
    assert "hidden" not in done.stderr


@pytest.mark.parametrize("login", [{}, {"MLFLOW_TRACKING_USERNAME": "anna", "MLFLOW_TRACKING_PASSWORD": "wrong"}])
def test_example_fails_without_login(venv: Venv, server: Serving, login: dict[str, str], tmp_path: Path) -> None:
    done = run(venv, EXAMPLES / "prompt.py", tmp_path, MLFLOW_TRACKING_URI=server.url, **login)

    assert_refused(done, tmp_path, "refuses the login")


def test_every_example_is_covered() -> None:
    assert sorted(LAST_LINES) == PROGRAMS
