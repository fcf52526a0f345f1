"""The program ``cdk8s-mlflow``: main.py, bootstrap.py and the image in one; heavy imports wait until a command runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cdk8s_mlflow.synth.cli import (
    Environments,
    KeycloakHost,
    MlflowHost,
    Output,
    app,
    one_clear_error,
    output_folder,
    say,
    terminal,
)

_Wheel = Annotated[Path | None, typer.Option(help="Wheel of this version, if pip cannot get it from an index.")]
_Format = Annotated[Literal["text", "json"], typer.Option("--format", help="Form of the output.")]

_EVERYTHING_AFTER = {"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False}
"""Leaves options to the program that a command starts, ``--help`` included."""


def main() -> None:
    """Run a command and leave with its exit code."""
    app()


@app.command("bootstrap", add_help_option=False, context_settings=_EVERYTHING_AFTER)
def bootstrap(context: typer.Context) -> None:
    """Prepare Keycloak, PostgreSQL, MinIO and the secret store."""
    # Each command loads only its own libraries.
    from mlflow_bootstrap.cli import main as run

    run(context.args, program=context.command_path)


@app.command("image", add_help_option=False, context_settings=_EVERYTHING_AFTER)
def image(context: typer.Context) -> None:
    """Build the container image, push it, or both."""
    from cdk8s_mlflow.publishing.__main__ import main as run

    raise typer.Exit(run(context.args, program=context.command_path))


@app.command("import-values")
def import_values(
    file: Annotated[Path, typer.Argument(help="Values file of another chart, or environment file of a recipe.")],
    name: Annotated[str, typer.Option(help="Name of the new environment.")] = "production",
    environments: Environments = Path("environments"),
    mlflow_host: MlflowHost = None,
    keycloak_host: KeycloakHost = None,
) -> None:
    """Write another installation's settings as an environment file, and list what has no place in it, with reasons.

    Exit codes: 0 written, 1 written but something is missing or contradicts another setting, 2 nothing written.
    """
    with one_clear_error():
        from cdk8s_mlflow.importing.command import import_file

        # A values file of another chart need not say either host, and no default can stand for them.
        hosts = {"ingress.host": mlflow_host, "authentication.keycloak_host": keycloak_host}
        found = import_file(file, environments=environments, name=name, given=hosts)
    print("\n".join(found.lines()))
    raise typer.Exit(1 if found.problems else 0)


@app.command()
def diff(
    environment: Annotated[
        str | None, typer.Argument(help="Only this one; by default all.", show_default=False)
    ] = None,
    environments: Environments = Path("environments"),
    output: Output = None,
    against: Annotated[str, typer.Option(help="Commit to compare with.")] = "HEAD",
    form: _Format = "text",
) -> None:
    """Say what a change of settings restarts, migrates and could lose, beside what git has committed.

    Exit codes: 0 nothing differs, 1 something does, 2 it cannot be compared.
    """
    with one_clear_error():
        from cdk8s_mlflow.synth.diff.command import diff as compare
        from cdk8s_mlflow.synth.diff.report import json_report, text_report

        found = compare(environments, output_folder(output), only=environment, against=against)
    print(json_report(found) if form == "json" else text_report(found))
    raise typer.Exit(any(item.different for item in found))


@app.command()
def doctor(
    environment: Annotated[str, typer.Option("--environment", "-e", help="Environment to look at.")] = "production",
    environments: Environments = Path("environments"),
    output: Annotated[
        Path | None, typer.Option(help="Folder of the manifests; by default CDK8S_OUTDIR, or dist.")
    ] = None,
    before: Annotated[bool, typer.Option("--before", help="Look at what the first apply needs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    with_run: Annotated[bool, typer.Option("--with-run", help="Log a run with an artifact, and delete it.")] = False,
    rights: Annotated[bool, typer.Option("--rights", help="Only print the roles that the login needs.")] = False,
    connect: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where the public hosts answer, if DNS does not say so here."),
    ] = None,
) -> None:
    """Look at everything that a deployment needs: what is seen, what it means, what to do. Reads only.

    Exit codes: 0 nothing is wrong, 1 something is, or could not be looked at, 2 usage.
    """
    from mlflow_bootstrap.exit_codes import one_clear_error as one_clear_bootstrap_error

    # The exceptions of bootstrap are another tree, with exit codes of its own.
    with one_clear_bootstrap_error():
        from mlflow_bootstrap.doctor.command import Asked
        from mlflow_bootstrap.doctor.command import doctor as run

        asked = Asked(
            environment=environment,
            environments=environments,
            output=output_folder(output),
            before=before,
            as_json=as_json,
            with_run=with_run,
            only_rights=rights,
            connect=connect,
        )
        printed, code = run(asked, say=say)
    print(printed)
    raise typer.Exit(code)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder.")],
    mlflow_host: MlflowHost = None,
    keycloak_host: KeycloakHost = None,
    wheel: _Wheel = None,
) -> None:
    """Create your own repository: one environment, its manifests, a hashed lock, and CI for GitHub and GitLab."""
    with one_clear_error():
        from cdk8s_mlflow.project.create import create_project

        hosts = {"--mlflow-host": mlflow_host, "--keycloak-host": keycloak_host}
        create_project(folder, hosts=hosts, ask=terminal(), say=say, wheel=wheel)
    print(f"wrote {folder}; `make synth` and `make test` work in it, README.md says what comes next")


@app.command()
def upgrade(
    environments: Environments = Path("environments"),
    output: Output = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; only say what would be done.")] = False,
    wheel: _Wheel = None,
) -> None:
    """Bring settings, schema and lock to this version, and say what it changes since the one that wrote dist/."""
    with one_clear_error():
        from cdk8s_mlflow.project.upgrade import upgrade as run
        from cdk8s_mlflow.synth.diff.command import diff as compare
        from cdk8s_mlflow.synth.diff.committed import CommitError
        from cdk8s_mlflow.synth.diff.report import text_report

        target = output_folder(output)
        for found in run(environments, target, write=not check, wheel=wheel):
            print("\n".join(found.lines()))
        if check:
            return
        try:
            report = text_report(compare(environments, target, only=None, against="HEAD"))
        # The settings are upgraded by now, so a checkout without git still gets all but the comparison.
        except CommitError as error:
            report = f"note: what the manifests change is not shown: {error}"
    print(f"\n{report}\n\n`make synth` writes it; commit settings, lock and dist/ together")


@app.command("try")
def try_(
    namespace: Annotated[str, typer.Option(help="Namespace that holds everything.")] = "mlflow-try",
    port: Annotated[int, typer.Option(min=1024, max=65535, help="Port of this machine for both addresses.")] = 30443,
    release: Annotated[str | None, typer.Option(help="Release of MLflow.")] = None,
    image: Annotated[
        str | None, typer.Option(help="Image of MLflow, as REGISTRY/REPOSITORY:TAG or with @DIGEST.")
    ] = None,
    use: Annotated[
        list[str] | None,
        typer.Option(help="Another image of a backing service, as NAME=IMAGE; repeatable.", show_default=False),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Delete the namespace and all that is in it.")] = False,
) -> None:
    """Run MLflow with small backing services of its own in one namespace of kubectl's current context.

    Exit codes: 0 everything is ready, or removed, 1 it is not, 2 wrong usage.
    """
    with one_clear_error():
        from cdk8s_mlflow.trial import command
        from cdk8s_mlflow.trial.choice import chosen
        from cdk8s_mlflow.trial.errors import TrialError

        trial = chosen(namespace=namespace, port=port, release=release, image=image, use=use or [])
        try:
            if remove:
                command.remove(namespace)
                print(f"namespace {namespace} is removed")
            else:
                print(command.apply(trial, say))
        # Exit code 1 and not 2: the command was understood, the cluster did not do it.
        except TrialError as error:
            say(f"error: {error}")
            raise typer.Exit(1) from error
