"""docs/library.md, tried where a user is: the installed wheel, another app, nothing of the checkout on the path."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from installation import MINIMAL, ROOT, Environment

APP = Path(__file__).with_name("other_app")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder with another cdk8s app and one environment file of ours."""
    shutil.copytree(APP, tmp_path, dirs_exist_ok=True)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "production.yaml").write_text(MINIMAL)
    return tmp_path


def test_guide_example_runs_in_another_app(installed: Environment, app: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "library.md").read_text(), re.S)
    (app / "app.py").write_text(code)

    done = installed.run("python", "app.py", cwd=app)

    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"mlflow-db-migration-[0-9a-f]{10} https://mlflow\.example\.com\n", done.stdout)
    assert {"mlflow.k8s.yaml", "mlflow-database.k8s.yaml"} <= {path.name for path in (app / "out").iterdir()}


@pytest.mark.parametrize("first", ["ours", "own"])
def test_app_imports_its_own_cloudnativepg_kinds(installed: Environment, app: Path, first: str) -> None:
    done = installed.run("python", "app.py", first, cwd=app)

    assert done.returncode == 0, done.stderr
    names = {
        document["spec"]["name"]
        for file in (app / "out").iterdir()
        for document in yaml.safe_load_all(file.read_text())
        if document["kind"] == "Database"
    }
    assert names == {"reports", "mlflow", "mlflow_auth"}


def test_wheel_imports_only_its_own_names(installed: Environment, app: Path) -> None:
    # Names of folders of the checkout, which another app may have as well.
    code = "import importlib.util as u; print([n for n in ('bootstrap', 'imports', 'live', 'tests') if u.find_spec(n)])"

    # -I leaves out the working directory, which has an imports/ of the app's own.
    done = installed.run("python", "-I", "-c", code, cwd=app)

    assert done.stdout == "[]\n"


def test_console_script_renders_and_validates(installed: Environment, app: Path) -> None:
    done = installed.run("cdk8s-mlflow", "synth", "--validate", cwd=app)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (app / "dist" / "production" / "application" / "Deployment.mlflow.k8s.yaml").is_file()


def test_schema_is_written_outside_checkout(installed: Environment, app: Path) -> None:
    # In the checkout the command writes a table into the documents, too.
    (app / "README.md").write_text("# Mine\n")

    done = installed.run("cdk8s-mlflow", "schema", cwd=app)

    assert (done.returncode, done.stdout) == (0, "wrote environments/environment.schema.json\n")
    assert (app / "README.md").read_text() == "# Mine\n"


def test_schema_says_where_it_must_run(installed: Environment, tmp_path: Path) -> None:
    done = installed.run("cdk8s-mlflow", "schema", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith("error: environments: no such folder; run this where your environment files are")


def test_image_builds_from_packaged_context(installed: Environment, app: Path) -> None:
    program, calls = app / "docker", app / "calls"
    # No engine of Docker runs here: this notes what it is asked, and what it is sent.
    program.write_text(
        f'#!/bin/sh\nfor last; do :; done; echo "$*" >> {calls}; test ! -d "$last" || ls -A "$last" >> {calls}\n'
    )
    program.chmod(0o755)

    path = f"{app}:{installed.folder / 'bin'}:/bin"
    done = installed.run("cdk8s-mlflow", "image", "build", cwd=app, PATH=path, BASE_IMAGE_BY_TAG="true")

    assert done.returncode == 0, done.stderr
    sent = calls.read_text()
    assert {".dockerignore", "Dockerfile", "build", "mlflow_sso", "pyproject.toml", "releases"} <= set(sent.split())
    assert "REVISION=0." in sent


def test_bootstrap_starts_from_console_script(installed: Environment, app: Path) -> None:
    done = installed.run("cdk8s-mlflow", "bootstrap", "--help", cwd=app)

    assert done.returncode == 0
    assert done.stdout.startswith("Usage: cdk8s-mlflow bootstrap ")
