"""main.py as people and scripts call it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cdk8s_mlflow.synth.cli import app
from cdk8s_mlflow.synth.output_tree import differences
from tests.manifests.workplaces import MINIMAL, add_environment, run

ROOT = Path(__file__).parents[2]


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


STRAY = {
    "an empty file": ("production/application/.gitkeep", b""),
    "a file": ("production/application/ConfigMap.gone.k8s.yaml", b"kind: ConfigMap\n"),
    "a file of another encoding": ("production/notes.txt", b"\xff\xfe"),
    "an environment": ("gone/application/Service.mlflow.k8s.yaml", b"kind: Service\n"),
    "an empty folder": ("production/old/", None),
}


@pytest.mark.parametrize("case", STRAY)
def test_check_finds_what_is_stray(workplace: Path, case: str) -> None:
    run("synth")
    name, content = STRAY[case]
    stray = workplace / "dist" / name
    (stray if content is None else stray.parent).mkdir(parents=True, exist_ok=True)
    if content is not None:
        stray.write_bytes(content)

    result = CliRunner().invoke(app, ["synth", "--check"])

    assert result.exit_code == 1
    assert name.rstrip("/") in result.stdout
    run("synth")
    assert not stray.exists()


def test_check_finds_other_line_ends(workplace: Path) -> None:
    run("synth")
    service = workplace / "dist" / "production" / "application" / "Service.mlflow.k8s.yaml"
    # As git leaves them on Windows with autocrlf.
    service.write_bytes(service.read_bytes().replace(b"\n", b"\r\n"))

    result = CliRunner().invoke(app, ["synth", "--check"])

    assert result.exit_code == 1
    assert "Service.mlflow.k8s.yaml has other bytes on disk" in result.stdout


def test_synth_says_what_it_wrote(workplace: Path) -> None:
    first, again = (CliRunner().invoke(app, ["synth"]).stdout for _ in range(2))
    folder = workplace / "dist" / "production" / "application"
    (folder / "Service.mlflow.k8s.yaml").write_text("")
    (folder / "Deployment.mlflow.k8s.yaml").unlink()
    (folder / "stray.txt").write_text("")

    third = CliRunner().invoke(app, ["synth"]).stdout

    files = sum(path.is_file() for path in (workplace / "dist").rglob("*"))
    assert first == f"1 environment, {files} files: {files} created\n"
    assert again == f"1 environment, {files} files: {files} unchanged\n"
    assert third == f"1 environment, {files} files: 1 created, 1 changed, {files - 2} unchanged, 1 deleted\n"


def test_check_and_validate_say_that_all_is_well(workplace: Path) -> None:
    add_environment(workplace / "environments", "staging")
    run("synth")

    lines = CliRunner().invoke(app, ["synth", "--check", "--validate"]).stdout.splitlines()

    files = [path for path in (workplace / "dist").rglob("*") if path.is_file()]
    manifests = [path for path in files if path.suffix == ".yaml"]
    assert lines == [
        f"dist is current: 2 environments, {len(files)} files",
        f"dist is valid: 2 environments, {len(manifests)} manifests",
    ]


@pytest.mark.parametrize("stray", [b"a: [1\n", b"\xff", b"- a\n", None], ids=["broken", "bytes", "list", "no dist"])
def test_validate_leaves_stale_tree_unchanged(workplace: Path, stray: bytes | None) -> None:
    if stray is not None:
        run("synth")
        (workplace / "dist" / "production" / "stray.yaml").write_bytes(stray)

    result = CliRunner().invoke(app, ["synth", "--check", "--validate"])

    assert result.exit_code == 1
    assert "error: dist is stale" in result.stderr
    assert "note: dist was not validated, since it is stale" in result.stderr
    assert "is valid" not in result.stdout


def test_check_says_that_overrides_are_ignored(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workplace / ".env.local").write_text("KEYCLOAK_REALM=people\n")
    monkeypatch.setenv("MLFLOW_HOST", "variable.example.com")
    run("synth")

    result = CliRunner().invoke(app, ["synth", "--check"])

    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert "MLFLOW_HOST overrides ingress.host: variable.example.com, which --check ignores" in lines[0]
    assert "KEYCLOAK_REALM in .env.local overrides authentication.realm" in lines[1]
    assert lines[-1].startswith("error: dist is stale, or was written with MLFLOW_HOST, KEYCLOAK_REALM in .env.local;")


def test_variable_wins_over_local_file(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_chart_version_names_setting_that_replaces_it(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_CHART_VERSION", "1.2.3")

    assert "set `release` in the environment file" in run("synth")


def test_synth_warns_of_no_release(workplace: Path) -> None:
    lines = [line for line in run("synth").splitlines() if line.startswith("note: release")]

    assert lines == []


def test_role_of_cluster_is_printed_as_patch(workplace: Path) -> None:
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


def test_two_processes_render_the_same_as_one(workplace: Path) -> None:
    single = workplace / "single"
    single.mkdir()
    for folder, number in [*((workplace / "environments", number) for number in range(3)), (single, 2)]:
        add_environment(folder, f"site-{number}")

    run("synth")
    run("synth", "--no-cache", "--environments", "single", "--output", "other")

    assert differences(workplace / "other" / "site-2", workplace / "dist" / "site-2") == []


def test_failing_worker_keeps_old_tree(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("synth")
    for number in range(4):
        add_environment(workplace / "environments", f"site-{number}")
    # Rendering needs Node.js, so that every worker fails.
    monkeypatch.setenv("JSII_NODE", "/nonexistent/node")

    result = CliRunner().invoke(app, ["synth"])

    assert result.exit_code == 2
    assert [line.startswith("error: rendering failed") for line in result.stderr.splitlines()] == [True]
    assert [path.name for path in (workplace / "dist").iterdir()] == ["production"]


@pytest.mark.parametrize(
    "modules",
    [
        "cdk8s_mlflow.console, cdk8s_mlflow.settings, cdk8s_mlflow.contract",
        "cdk8s_mlflow.synth.diff.command, cdk8s_mlflow.synth.diff.report, cdk8s_mlflow.project.create",
    ],
)
def test_command_line_imports_no_cdk8s(modules: str) -> None:
    # Whatever imports cdk8s before the packaged Node.js is chosen needs one on the PATH.
    code = (
        f"import sys; sys.argv = ['main.py']; import {modules};"
        "print([name for name in ('jsii', 'cdk8s', 'constructs') if name in sys.modules])"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert result.stdout.strip() == "[]"


def test_main_without_command_honours_cli_of_cdk8s(workplace: Path) -> None:
    environment = {**os.environ, "CDK8S_OUTDIR": str(workplace / "out")}

    subprocess.run([sys.executable, ROOT / "main.py"], cwd=workplace, env=environment, check=True, capture_output=True)

    assert [path.name for path in (workplace / "out").iterdir()] == ["production"]
    assert not (workplace / "dist").exists()


def test_synth_says_digest_wins_over_tag(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = workplace / "environments" / "production.yaml"
    file.write_text(f"{MINIMAL}image:\n  digest: sha256:{'1' * 64}\n")
    monkeypatch.setenv("MLFLOW_IMAGE_TAG", "other")

    result = CliRunner().invoke(app, ["synth"])

    assert "note: production: MLFLOW_IMAGE_TAG has no effect on manifests, since image.digest" in result.stderr
