"""Synth and bootstrap refuse environments that share something, or that were renamed since they were written."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cdk8s_mlflow.settings import InvalidSettingsError, SettingsError
from cdk8s_mlflow.settings.renaming import refuse_renamed
from cdk8s_mlflow.synth.cli import app
from mlflow_bootstrap.environment import settings_of
from tests.manifests.ownership.changes import ONE, settings


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two environments of one instance and a third of its own."""
    monkeypatch.chdir(tmp_path)
    files = {"production": ("mlflow", "a"), "staging": ("mlflow", "b"), "other": ("mlflow-other", "c")}
    Path("environments").mkdir()
    for name, (instance, host) in files.items():
        hosts = f"ingress: {{host: {host}.example.com}}\nauthentication: {{keycloak_host: k.example.com}}\n"
        text = f"instance: {instance}\n{hosts}"
        Path("environments", f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("arguments", [["synth"], ["synth", "--check"]], ids=" ".join)
def test_synth_refuses_what_two_own(workplace: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith(
        "error: environments/staging.yaml: instance: is that of environments/production.yaml"
    )
    assert not (workplace / "dist").exists()


def rename(environment: str, instance: str) -> None:
    file = Path("environments", f"{environment}.yaml")
    _, rest = file.read_text().split("\n", 1)
    file.write_text(f"instance: {instance}\n{rest}")


@pytest.fixture
def rendered(workplace: Path) -> Path:
    """dist/ of the two environments that share nothing."""
    Path("environments", "staging.yaml").unlink()
    assert CliRunner().invoke(app, ["synth"]).exit_code == 0
    return workplace / "dist"


LEFT = (
    "namespace mlflow in",
    "DatabaseRole postgres/mlflow in",
    "bucket mlflow at",
    "client mlflow in",
    "secret/mlflow",
)


@pytest.mark.parametrize("arguments", [["synth"], ["synth", "--check"]], ids=" ".join)
def test_synth_refuses_renamed_instance(rendered: Path, arguments: list[str]) -> None:
    before = (rendered / "production" / "application" / "Deployment.mlflow.k8s.yaml").read_bytes()
    rename("production", "mlflow-production")

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error")]
    assert line.startswith("error: environments/production.yaml: instance: is mlflow-production, but dist/production")
    assert [thing for thing in LEFT if thing not in line] == []
    assert (rendered / "production" / "application" / "Deployment.mlflow.k8s.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: team-a\n", "name: team-a\n"),
        ("name: team-a\nserver: {service_account: theirs}\n", "name: team-a\nserver: {service_account: theirs}\n"),
        ("name: team-a\n", "name: team-b\n"),
    ],
    ids=["another name", "another account", "name changed, too"],
)
def test_synth_refuses_renaming_under_other_names(rendered: Path, before: str, after: str) -> None:
    file = Path("environments", "other.yaml")
    text = file.read_text()
    file.write_text(text + before)
    shutil.rmtree(rendered / "other")
    assert CliRunner().invoke(app, ["synth"]).exit_code == 0

    file.write_text(text.replace("mlflow-other", "mlflow-new") + after)
    result = CliRunner().invoke(app, ["synth"])

    assert result.exit_code == 2
    assert "is mlflow-new, but dist/other was written for mlflow-other" in result.stderr


def test_synth_renames_once_dist_is_removed(rendered: Path) -> None:
    rename("production", "mlflow-production")
    shutil.rmtree(rendered / "production")

    result = CliRunner().invoke(app, ["synth"])

    assert result.exit_code == 0
    assert (rendered / "production" / "application" / "Namespace.mlflow-production.k8s.yaml").exists()


def test_synth_reads_dist_without_labels_as_mlflow(rendered: Path) -> None:
    account = rendered / "other" / "application" / "ServiceAccount.mlflow.k8s.yaml"
    lines = account.read_text().splitlines(keepends=True)
    # As manifests were before they bore the instance.
    account.write_text("".join(line for line in lines if "instance" not in line))

    result = CliRunner().invoke(app, ["synth"])

    assert result.exit_code == 2
    assert "dist/other was written for mlflow; the new name would leave behind" in result.stderr


def test_synth_names_older_manifests_by_hand(workplace: Path) -> None:
    names = {"database.object_name": "mlflow", "delivery.name": "ml"}
    before = settings("mlflow", {**names, "cluster": "elsewhere"})
    by_hand = {key: getattr(getattr(before, key.split(".")[0]), key.split(".")[1]) for key in FOLLOWING}
    after = settings("ml-new", {**names, **by_hand, "namespace": "mlflow", "ingress.host": before.ingress.host})
    account = workplace / "dist" / "one" / "application" / "ServiceAccount.mlflow.k8s.yaml"
    account.parent.mkdir(parents=True)
    account.write_text("metadata: {labels: {app.kubernetes.io/name: mlflow}}")

    refuse_renamed({ONE: after}, workplace / "dist")

    account.write_text("metadata: {labels: {app.kubernetes.io/instance: mlflow}}")
    with pytest.raises(InvalidSettingsError, match="all that bears the mark of mlflow"):
        refuse_renamed({ONE: after}, workplace / "dist")


FOLLOWING = (
    "database.name",
    "database.auth_name",
    "database.role",
    "artifacts.bucket",
    "artifacts.user",
    "artifacts.policy",
    "authentication.client_id",
    "authentication.groups_scope",
    "authentication.directory_client",
    "secrets.vault_prefix",
)


def test_bootstrap_refuses_renamed_instance(rendered: Path) -> None:
    rename("production", "mlflow-production")

    with pytest.raises(InvalidSettingsError, match=r"dist/production was written for mlflow"):
        settings_of("production", folder=Path("environments"), environ={}, say=print)


def test_bootstrap_refuses_what_its_environment_shares(workplace: Path) -> None:
    with pytest.raises(InvalidSettingsError, match=r"staging.yaml: instance: is that of environments/production.yaml"):
        settings_of("staging", folder=Path("environments"), environ={}, say=print)

    assert settings_of("other", folder=Path("environments"), environ={}, say=print).instance == "mlflow-other"


def test_bootstrap_names_file_of_another_ending(workplace: Path) -> None:
    Path("environments", "other.yaml").rename("environments/other.yml")

    with pytest.raises(SettingsError, match=r"other.yaml: no such file; rename other.yml to other.yaml"):
        settings_of("other", folder=Path("environments"), environ={}, say=print)


def test_bootstrap_reads_overrides_before_it_compares(workplace: Path) -> None:
    changes = {"MLFLOW_NAMESPACE": "mlflow"}

    with pytest.raises(InvalidSettingsError, match="namespace mlflow"):
        settings_of("other", folder=Path("environments"), environ=changes, say=print)
