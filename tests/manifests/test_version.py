"""The version that wrote the manifests, on one object."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cdk8s_mlflow import __version__, namespace
from cdk8s_mlflow.settings import load
from cdk8s_mlflow.synth.cli import app
from cdk8s_mlflow.synth.output_tree import differences
from cdk8s_mlflow.synth.render import render

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = sorted(path.name for path in (ROOT / "dist").iterdir())


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_version_bump_changes_only_annotation(
    environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(ROOT / "environments" / f"{environment}.yaml")
    monkeypatch.setattr(namespace, "__version__", "99.0.0")

    render(settings, environment=environment, folder=tmp_path)

    lines = differences(tmp_path, ROOT / "dist" / environment)
    # On one object only: otherwise each version would roll every pod.
    assert [line for line in lines if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))] == [
        f"-    cdk8s-mlflow/version: {__version__}",
        "+    cdk8s-mlflow/version: 99.0.0",
    ]


def test_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"cdk8s-mlflow {__version__}\n"
