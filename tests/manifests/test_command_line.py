"""main.py as people and scripts call it."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cdk8s_mlflow.settings import load
from cdk8s_mlflow.synth.cli import app
from cdk8s_mlflow.synth.commands import write_tree
from cdk8s_mlflow.synth.output_tree import differences

ROOT = Path(__file__).parents[2]
MINIMAL = "ingress:\n  host: mlflow.example.com\nauthentication:\n  keycloak_host: auth.example.com\n"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CDK8S_OUTDIR", raising=False)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "production.yaml").write_text(MINIMAL)
    return tmp_path


def add_environment(folder: Path, name: str) -> Path:
    """A file that shares nothing with others in ``folder``."""
    file = folder / f"{name}.yaml"
    file.write_text(f"instance: mlflow-{name}\n{MINIMAL.replace('mlflow.', f'{name}.')}")
    return file


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_stale_files_go(workplace: Path) -> None:
    stale = workplace / "dist" / "production" / "application" / "ConfigMap.gone.k8s.yaml"
    stale.parent.mkdir(parents=True)
    stale.write_text("kind: ConfigMap\n")

    run("synth")

    assert not stale.exists()
    assert (stale.parent / "Deployment.mlflow.k8s.yaml").exists()


def test_check_writes_nothing_and_shows_what_is_stale(workplace: Path) -> None:
    run("synth")
    deployment = workplace / "dist" / "production" / "application" / "Deployment.mlflow.k8s.yaml"
    deployment.write_text(deployment.read_text().replace("replicas: 1", "replicas: 7"))

    result = CliRunner().invoke(app, ["synth", "--check"])

    assert result.exit_code == 1
    assert "-  replicas: 7" in result.stdout
    assert "+  replicas: 1" in result.stdout
    assert "dist is stale; run `make synth`" in result.stderr
    assert "replicas: 7" in deployment.read_text()


def test_a_variable_wins_over_the_local_file_and_both_are_reported(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_environment(workplace / "environments", "staging")
    (workplace / ".env.local").write_text("MLFLOW_HOST=local.example.com\nKEYCLOAK_REALM=people\n")
    monkeypatch.setenv("MLFLOW_HOST", "variable.example.com")

    output = run("synth")

    def host(environment: str) -> str:
        file = workplace / "dist" / environment / "application" / "Ingress.mlflow.k8s.yaml"
        return str(yaml.safe_load(file.read_text())["spec"]["rules"][0]["host"])

    assert host("production") == "variable.example.com"
    assert host("staging") == "staging.example.com"
    assert "production: MLFLOW_HOST overrides ingress.host" in output
    assert "production: KEYCLOAK_REALM in .env.local overrides authentication.realm" in output


def test_a_chart_version_is_answered_with_the_setting_that_replaces_it(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_CHART_VERSION", "1.2.3")

    assert "set `release` in the environment file" in run("synth")


def test_the_release_that_isolates_nobody_says_so(workplace: Path) -> None:
    lines = [line for line in run("synth").splitlines() if "not a security boundary" in line]

    assert len(lines) == 1
    assert "docs/security.md" in lines[0]


def test_init_writes_an_environment_that_renders(workplace: Path) -> None:
    run("init", "staging", "--mlflow-host", "a.example.com", "--keycloak-host", "b.example.com")

    run("synth")

    assert load(workplace / "environments" / "staging.yaml").instance == "mlflow-staging"
    assert (workplace / "dist" / "staging" / "application" / "Deployment.mlflow.k8s.yaml").exists()


def test_a_missing_host_is_asked_for_on_a_terminal(workplace: Path) -> None:
    file = workplace / "environments" / "production.yaml"
    file.write_text("authentication:\n  keycloak_host: auth.example.com\n")
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return "asked.example.com"

    write_tree(
        file.parent,
        workplace / "dist",
        touched="production",
        say=print,
        progress=lambda count: nullcontext(print),
        ask=answer,
    )

    ingress = workplace / "dist" / "production" / "application" / "Ingress.mlflow.k8s.yaml"
    assert questions == ["production.yaml: ingress.host"]
    assert yaml.safe_load(ingress.read_text())["spec"]["rules"][0]["host"] == "asked.example.com"


def test_the_role_that_belongs_to_the_cluster_is_printed_as_a_patch(workplace: Path) -> None:
    file = workplace / "environments" / "production.yaml"
    file.write_text(MINIMAL + "database:\n  role_management: managed-roles\n")

    lines = run("synth").splitlines()

    patch = yaml.safe_load("\n".join(lines[lines.index("# Cluster postgres/postgres-cluster") :]))
    (role,) = patch["spec"]["managed"]["roles"]
    assert role == {
        "name": "mlflow",
        "ensure": "present",
        "login": True,
        "passwordSecret": {"name": "mlflow-db-role"},
    }


def test_images_lists_each_image_once(workplace: Path) -> None:
    tunnel = workplace / "environments" / "tunnel.yaml"
    tunnel.write_text(MINIMAL.replace("  host:", "  cloudflared: {}\n  host:"))

    assert run("images").splitlines() == [
        "docker.io/cloudflare/cloudflared:2025.8.1",
        "localhost:30500/mlflow:3.6.0-oidc",
    ]


def test_many_environments_are_rendered_by_two_processes_like_one(workplace: Path) -> None:
    alone = workplace / "alone"
    alone.mkdir()
    for folder, number in [*((workplace / "environments", number) for number in range(5)), (alone, 4)]:
        add_environment(folder, f"site-{number}")

    run("synth")
    run("synth", "--environments", "alone", "--output", "other")

    assert differences(workplace / "other" / "site-4", workplace / "dist" / "site-4") == []


def test_a_worker_that_fails_leaves_one_line_and_the_old_tree(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("synth")
    for number in range(4):
        add_environment(workplace / "environments", f"site-{number}")
    monkeypatch.setenv("JSII_NODE", "/nonexistent/node")

    result = CliRunner().invoke(app, ["synth"])

    assert result.exit_code == 2
    assert [line.startswith("error: rendering failed") for line in result.stderr.splitlines()[1:]] == [True]
    assert [path.name for path in (workplace / "dist").iterdir()] == ["production"]


def test_help_and_settings_import_no_cdk8s() -> None:
    code = (
        "import sys; sys.argv = ['main.py'];"
        "import cdk8s_mlflow.synth.cli, cdk8s_mlflow.settings, cdk8s_mlflow.contract;"
        "print([name for name in ('jsii', 'cdk8s', 'constructs') if name in sys.modules])"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert result.stdout.strip() == "[]"


def test_main_without_a_command_honours_the_cli_of_cdk8s(tmp_path: Path) -> None:
    environment = {**os.environ, "CDK8S_OUTDIR": str(tmp_path / "out")}

    subprocess.run([sys.executable, "main.py"], cwd=ROOT, env=environment, check=True, capture_output=True)

    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["current", "edge", "local", "production"]
