"""A folder with environments, as the command line sees it."""

from pathlib import Path

from typer.testing import CliRunner

from cdk8s_mlflow.synth.cli import app

MINIMAL = "ingress:\n  host: mlflow.example.com\nauthentication:\n  keycloak_host: auth.example.com\n"


def add_environment(folder: Path, name: str) -> Path:
    """A file that shares nothing with others in ``folder``."""
    file = folder / f"{name}.yaml"
    file.write_text(f"instance: mlflow-{name}\n{MINIMAL.replace('mlflow.', f'{name}.')}")
    return file


def run(*arguments: str) -> str:
    """What a command prints; it must succeed."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output
