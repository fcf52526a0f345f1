"""The program ``cdk8s-mlflow``: main.py, bootstrap.py and the image in one; heavy imports wait until a command runs."""

import typer

from cdk8s_mlflow.synth.cli import app

_EVERYTHING_AFTER = {"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False}
"""Leaves options to the program that a command starts, ``--help`` included."""


def main() -> None:
    """Run a command and leave with its exit code."""
    app()


@app.command("bootstrap", add_help_option=False, context_settings=_EVERYTHING_AFTER)
def bootstrap(context: typer.Context) -> None:
    """Prepare Keycloak, PostgreSQL, MinIO and the secret store."""
    from mlflow_bootstrap.cli import main as run

    run(context.args, program=context.command_path)


@app.command("image", add_help_option=False, context_settings=_EVERYTHING_AFTER)
def image(context: typer.Context) -> None:
    """Build the container image, push it, or both."""
    from cdk8s_mlflow.publishing.__main__ import main as run

    raise typer.Exit(run(context.args, program=context.command_path))
