"""`cdk8s-mlflow new`: a repository of one's own, created from the installed wheel and used as its README says."""

import hashlib
import os
import pty
import subprocess
from pathlib import Path

import pytest
import yaml
from blocks import block
from installation import Environment
from typer.testing import CliRunner, Result

from cdk8s_mlflow.console import app
from cdk8s_mlflow.project.lock import HEADER

DOCUMENTED = block("README.md", "make release").commands
"""The start from the wheel."""

HOSTS = ("--mlflow-host", "mlflow.example.com", "--keycloak-host", "auth.example.com")


@pytest.fixture(scope="module")
def project(installed: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new repository, created in a path with a space by what README says, with a person's answers."""
    folder = tmp_path_factory.mktemp("my repositories")
    # `new` asks for hosts only on a terminal.
    ours, theirs = pty.openpty()
    os.write(ours, b"mlflow.example.com\nauth.example.com\n")
    done = installed.run(*DOCUMENTED[-2].split(), cwd=folder, stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    return folder / "my-mlflow"


@pytest.fixture
def set_up(project: Path, installed: Environment) -> Path:
    """The repository with the environment that its Makefile would install, which takes pip a while."""
    if not (project / ".venv").exists():
        (project / ".venv").symlink_to(installed.folder)
        (installed.folder / ".done").touch()
    return project


def new(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["new", *map(str, arguments)])


def make(target: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "MFLAGS"))}
    return subprocess.run(["make", target], cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_new_writes_whole_repository(project: Path) -> None:
    files = {
        str(path.relative_to(project)) for path in project.rglob("*") if path.is_file() and "dist" not in path.parts
    }

    assert files == {
        ".gitattributes",
        ".github/workflows/manifests.yaml",
        ".gitignore",
        ".gitlab-ci.yml",
        "Makefile",
        "README.md",
        "bootstrap.py",
        "cdk8s.yaml",
        "environments/environment.schema.json",
        "environments/production.yaml",
        "main.py",
        "requirements.lock",
        next(f"wheels/{path.name}" for path in (project / "wheels").iterdir()),
    }
    assert len((project / "README.md").read_text().splitlines()) <= 40
    assert [len((project / name).read_text().splitlines()) for name in ("main.py", "bootstrap.py")] == [3, 3]


def test_new_pins_this_version_by_hash(project: Path) -> None:
    header, pin, digest, *_ = (project / "requirements.lock").read_text().splitlines()

    (wheel,) = (project / "wheels").iterdir()
    assert header == HEADER
    assert pin == f"./wheels/{wheel.name} \\"
    assert digest.strip() == f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


@pytest.mark.parametrize("file", [".github/workflows/manifests.yaml", ".gitlab-ci.yml"])
def test_new_writes_ci_that_tests(project: Path, file: str) -> None:
    text = (project / file).read_text()

    assert yaml.safe_load(text)
    assert "make test" in text
    assert "--check --validate" in (project / "Makefile").read_text()


def test_documented_start_works(set_up: Path, installed: Environment) -> None:
    done = installed.run("sh", "-ec", DOCUMENTED[-1], cwd=set_up.parent)

    assert done.returncode == 0, done.stdout + done.stderr


def test_make_test_notices_stale_dist(set_up: Path) -> None:
    file = set_up / "environments" / "production.yaml"
    text = file.read_text()
    file.write_text(f"{text}image:\n  tag: next\n")

    tested = make("test", set_up)
    # Before anything is asserted, for the repository is the module's.
    file.write_text(text)

    assert tested.returncode != 0
    assert "dist is stale; run `make synth`" in tested.stderr


def test_upgrade_renews_lock_and_schema(installed: Environment, project: Path) -> None:
    lock, schema = project / "requirements.lock", project / "environments" / "environment.schema.json"
    before = lock.read_text(), schema.read_text()
    # As an older version left them.
    lock.write_text(f"{HEADER}\nold==1\n")
    schema.write_text("{}")
    (wheel,) = (project / "wheels").iterdir()

    done = installed.run("python", "main.py", "upgrade", "--wheel", wheel, cwd=project)

    assert done.returncode == 0, done.stderr
    assert (lock.read_text(), schema.read_text()) == before
    assert wheel.is_file()


@pytest.mark.parametrize("program", ["main.py", "bootstrap.py"])
def test_programs_of_repository_start(installed: Environment, project: Path, program: str) -> None:
    done = installed.run("python", program, "--help", cwd=project)

    assert done.returncode == 0, done.stderr
    assert f"Usage: {program} " in done.stdout


def test_cdk8s_app_writes_same_bytes(installed: Environment, project: Path, tmp_path: Path) -> None:
    app_command = yaml.safe_load((project / "cdk8s.yaml").read_text())["app"]

    # What the cdk8s CLI does: it runs the app, and names the output folder in a variable.
    done = installed.run("python", app_command.split()[-1], cwd=project, CDK8S_OUTDIR=str(tmp_path / "out"))

    assert done.returncode == 0, done.stderr
    same = subprocess.run(
        ["diff", "-r", project / "dist", tmp_path / "out"], capture_output=True, text=True, check=False
    )
    assert same.stdout == ""


def test_new_refuses_folder_with_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    done = new(tmp_path, *HOSTS)

    assert (done.exit_code, done.stderr) == (2, f"error: {tmp_path} is not empty; name a new or an empty folder\n")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_new_refuses_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    assert new(tmp_path / "file", *HOSTS).stderr.endswith("is a file; name a new or an empty folder\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mlflow-host", "not a host", "--keycloak-host", "auth.example.com"), "error: new: ingress.host: "),
        (("--mlflow-host", "mlflow.example.com"), "error: new: --keycloak-host: is required"),
        ((*HOSTS, "--wheel", "other-1.0-py3-none-any.whl"), "no such file; name the wheel of version"),
    ],
)
def test_new_writes_nothing_when_refused(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = new(tmp_path / "mine", *arguments)

    assert done.exit_code == 2
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_new_refuses_wheel_of_another_version(tmp_path: Path) -> None:
    wheel = tmp_path / "cdk8s_mlflow-99.0-py3-none-any.whl"
    wheel.write_bytes(b"")

    done = new(tmp_path / "mine", *HOSTS, "--wheel", wheel)

    assert done.exit_code == 2
    assert "is not the wheel of cdk8s-mlflow" in done.stderr


def test_new_keeps_empty_repository_of_git(tmp_path: Path, wheel: Path) -> None:
    # As a clone of an empty repository is.
    (tmp_path / ".git").mkdir()

    done = new(tmp_path, *HOSTS, "--wheel", wheel)

    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "dist" / "production" / "application").is_dir()
