"""`cdk8s-mlflow diff`: what a change of settings means, beside what git has committed."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cdk8s_mlflow.console import app
from cdk8s_mlflow.synth.diff.fields import field_changes
from cdk8s_mlflow.synth.diff.objects import object_changes
from cdk8s_mlflow.synth.diff.report import EnvironmentDiff, text_report

MINIMAL = "ingress:\n  host: mlflow.example.com\nauthentication:\n  keycloak_host: auth.example.com\n"
GUARD = "metadata: {annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}\n"

Change = Callable[[str], Path]


def git(folder: Path, *arguments: str) -> None:
    # git commits nothing without an identity, and a build machine has none.
    identity = ("-c", "user.name=tester", "-c", "user.email=tester@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one environment and its manifests, committed."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "environments").mkdir()
    (folder / "environments" / "production.yaml").write_text(MINIMAL)
    arguments = ["synth", "--environments", str(folder / "environments"), "--output", str(folder / "dist")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "--message", "Start")
    return folder


@pytest.fixture
def change(committed: Path, monkeypatch: pytest.MonkeyPatch) -> Change:
    """Adds lines to the environment file, and works in the repository."""
    monkeypatch.chdir(committed)
    monkeypatch.delenv("CDK8S_OUTDIR", raising=False)

    def write(lines: str) -> Path:
        (committed / "environments" / "production.yaml").write_text(MINIMAL + lines)
        return committed

    return write


def diff(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["diff", *arguments])


def lines(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The report of two trees."""
    found = EnvironmentDiff("test", settings=(), objects=object_changes(before, after))
    return [line.strip() for line in text_report([found]).splitlines()]


def test_diff_of_what_is_committed_exits_0(change: Change) -> None:
    change("")

    done = diff()

    assert done.exit_code == 0, done.output
    assert "  Database mlflow-auth: unchanged" in done.stdout.splitlines()
    assert "could lose data" not in done.stdout


def test_diff_says_what_image_rolls_and_migrates(change: Change) -> None:
    change("image:\n  tag: next\n")

    done = diff("production")

    assert done.exit_code == 1
    images = "image localhost:30500/mlflow:3.6.0-oidc → localhost:30500/mlflow:next"
    assert {
        f"  Deployment mlflow: {images} (rolls the pods)",
        "  Job mlflow-db-migration: new (migrates)",
        "  Database mlflow-auth: unchanged",
        "  restarts: Deployment mlflow",
        "  migrates: Job mlflow-db-migration",
        "  could lose data: nothing",
    } <= set(done.stdout.splitlines())


def test_diff_warns_of_another_bucket(change: Change) -> None:
    change("artifacts:\n  bucket: other\n")

    done = diff()

    assert "  could lose data: setting artifacts.bucket: artifacts stay where they are: copy them first" in done.stdout
    assert "  then: bootstrap.py plan --environment production" in done.stdout
    assert "  migrates: nothing" in done.stdout


@pytest.mark.parametrize(
    ("setting", "warning"),
    [
        ("release: 3.17.2\n", "back up both databases first"),
        ("database: {name: second}\n", "stay in the old one"),
        ("instance: second\n", "stay in the old one"),
        ("artifacts: {prefix: team}\n", "artifacts stay where they are"),
        ("maintenance: {retention_days: 7}\n", "is deleted for good sooner"),
        ("database: {reclaim_policy: delete}\n", "the database is dropped with the object"),
    ],
)
def test_diff_warns_before_data_is_lost(change: Change, setting: str, warning: str) -> None:
    change(setting)

    document = json.loads(diff("--format", "json").stdout)

    assert warning in "; ".join(document["environments"]["production"]["data"])


def test_diff_as_json_names_fields_and_effects(change: Change) -> None:
    change("server:\n  resources: {memory_limit: 4Gi}\n")

    done = diff("--format", "json")

    assert done.exit_code == 1
    production = json.loads(done.stdout)["environments"]["production"]
    limit = {"before": "2Gi", "after": "4Gi"}
    rolls = [{"impact": "restarts", "text": "rolls the pods"}]
    assert production["settings"] == [{"path": "server.resources.memory_limit", **limit, "effects": []}]
    (deployment,) = [item for item in production["objects"] if item["kind"] == "Deployment"]
    path = "spec.template.spec.containers[mlflow].resources.limits.memory"
    assert deployment["fields"] == [{"path": path, **limit, "effects": rolls}]
    assert production["restarts"] == ["Deployment mlflow"]


def test_diff_shows_environment_not_committed(change: Change) -> None:
    folder = change("")
    staging = folder / "environments" / "staging.yaml"
    staging.write_text(MINIMAL.replace("mlflow.", "staging.") + "instance: staging\n")

    done = diff("staging")
    staging.unlink()

    assert done.exit_code == 1
    assert "note: nothing of it is committed yet" in done.stdout
    assert "-db-migration: new (migrates)" in done.stdout


def test_diff_shows_environment_taken_out(change: Change) -> None:
    folder = change("")
    (folder / "environments" / "other.yaml").write_text(MINIMAL)
    (folder / "environments" / "production.yaml").unlink()

    done = diff("production")
    (folder / "environments" / "other.yaml").unlink()

    assert done.exit_code == 1
    assert "Deployment mlflow: removed (stops its pods)" in done.stdout
    assert "Database mlflow: removed (guarded from pruning: it stays until you delete it)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no environment nowhere; there are production"),
        (["--against", "v9"], "git has no commit v9"),
    ],
)
def test_diff_refuses_what_cannot_be_compared(change: Change, arguments: list[str], message: str) -> None:
    change("")

    done = diff(*arguments)

    assert done.exit_code == 2
    assert message in done.stderr


def test_diff_needs_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # The temporary folder may lie in a repository itself.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    done = diff()

    assert done.exit_code == 2
    assert done.stderr.startswith("error: this folder is in no git repository")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("a.b", 1, 2)]),
        ({"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "A", "value": "2"}]}, [("env[A].value", "1", "2")]),
        # Kubernetes merges such lists by the names in them.
        ({"env": [{"name": "A"}, {"name": "B"}]}, {"env": [{"name": "B"}, {"name": "A"}]}, []),
        ({"args": ["--older", "30d", "x"]}, {"args": ["--older", "7d", "x"]}, [("args", "30d", "7d")]),
        ({"rules": [{"port": 1}]}, {"rules": [{"port": 2}]}, [("rules[0].port", 1, 2)]),
        ({"text": "a\nb\n"}, {"text": "a\nc\n"}, [("text", "b", "c")]),
        ({}, {"a": {"b": 1}}, [("a", None, {"b": 1})]),
    ],
)
def test_fields_are_compared_by_name(before: dict[str, Any], after: dict[str, Any], expected: list[Any]) -> None:
    assert [(field.path, field.before, field.after) for field in field_changes(before, after)] == expected


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        (GUARD + "spec: {databaseReclaimPolicy: retain}\n", "guarded from pruning: it stays until you delete it"),
        ("spec: {databaseReclaimPolicy: delete}\n", "CloudNativePG drops the database with the object"),
        ("spec: {databaseReclaimPolicy: retain}\n", "the database stays without its object"),
    ],
)
def test_removed_database_says_what_becomes_of_it(text: str, effect: str) -> None:
    assert f"Database mlflow: removed ({effect})" in lines({"database/Database.mlflow.k8s.yaml": text}, {})


def test_changed_selector_is_outage() -> None:
    path = "application/Deployment.mlflow.k8s.yaml"

    report = lines({path: "spec: {selector: {a: 1}}\n"}, {path: "spec: {selector: {a: 2}}\n"})

    assert "Deployment mlflow: selector.a 1 → 2 (immutable: delete the Deployment first, which is an outage)" in report
    assert "is replaced: Deployment mlflow" in report
