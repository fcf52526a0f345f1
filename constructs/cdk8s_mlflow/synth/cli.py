"""The command line of main.py; heavy imports wait until a command runs."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cdk8s_mlflow import __version__

app = typer.Typer(
    help="Write the manifests of every environment to dist/.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Environments = Annotated[Path, typer.Option(help="Folder of the environment files.")]
Output = Annotated[Path | None, typer.Option(help="Folder to write; by default CDK8S_OUTDIR, or dist.")]
MlflowHost = Annotated[str | None, typer.Option(help="Public host name of MLflow.")]
KeycloakHost = Annotated[str | None, typer.Option(help="Public host name of Keycloak.")]
_Environment = Annotated[
    str | None,
    typer.Option(help="Environment that .env.local and environment variables touch; production by default."),
]


def _print_version(asked: bool) -> None:
    if asked:
        print(f"cdk8s-mlflow {__version__}")
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
]


@contextmanager
def one_clear_error() -> Iterator[None]:
    """Print what is wrong and leave with exit code 2; the only place where errors are caught."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, _expected_errors()):
            raise
        for line in str(error).splitlines():
            say(f"error: {line}")
        raise typer.Exit(2) from error


def _expected_errors() -> tuple[type[Exception], ...]:
    # They come from modules that other commands do without, and whose import takes a tenth of an unchanged synth.
    from cdk8s_mlflow.project.create import FolderError
    from cdk8s_mlflow.project.lock import LockError
    from cdk8s_mlflow.project.upgrade import UpgradeError
    from cdk8s_mlflow.settings import SettingsError
    from cdk8s_mlflow.synth.diff.committed import CommitError
    from cdk8s_mlflow.synth.output_tree import OutputError
    from cdk8s_mlflow.synth.synthesis import SynthesisError

    return SettingsError, OutputError, SynthesisError, CommitError, FolderError, LockError, UpgradeError


def output_folder(asked: Path | None) -> Path:
    """The folder to write: the one that is asked for, CDK8S_OUTDIR as the cdk8s CLI sets it, or dist."""
    return asked or Path(os.environ.get("CDK8S_OUTDIR", "dist"))


def say(line: str) -> None:
    """One line beside the result."""
    print(line, file=sys.stderr)


@app.callback(invoke_without_command=True)
def main(context: typer.Context, version: _Version = False) -> None:
    """Write the manifests of every environment to dist/."""
    # The cdk8s CLI calls main.py without arguments.
    if context.invoked_subcommand is None:
        synth()


@app.command()
def synth(
    environments: Environments = Path("environments"),
    output: Output = None,
    environment: _Environment = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where dist/ is stale.")] = False,
    validate: Annotated[bool, typer.Option("--validate", help="Check what was written against schemas.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Render also what is unchanged since the last.")] = False,
) -> None:
    """Write dist/, or check it."""
    target = output_folder(output)
    with one_clear_error():
        from cdk8s_mlflow.synth.commands import check_tree, validate_tree, write_tree

        if check:
            stale, summary = check_tree(
                environments, target, override_environment=environment, say=say, use_cache=not no_cache
            )
            lines = stale or [f"{target} is current: {summary}"]
        else:
            stale, ask = [], terminal()
            summary = write_tree(
                environments,
                target,
                override_environment=environment,
                say=say,
                progress=_progress,
                ask=ask,
                use_cache=not no_cache,
            )
            lines = [summary]
        # What is on disk is not what the settings say, and what is wrong with it may be mended already.
        if validate and stale:
            say(f"note: {target} was not validated, since it is stale")
        problems, valid = validate_tree(target) if validate and not stale else ([], "")
    for line in [*lines, *problems, *([valid] if valid else [])]:
        print(line)
    if stale or problems:
        raise typer.Exit(1)


@contextmanager
def _progress(count: int) -> Iterator[Callable[[str], None]]:
    """Counts environments on a terminal; says nothing elsewhere."""
    if count < 2 or not sys.stderr.isatty():
        yield lambda name: None
        return
    with typer.progressbar(length=count, label="environments", file=sys.stderr) as bar:
        yield lambda name: bar.update(1)


@app.command()
def images(environments: Environments = Path("environments")) -> None:
    """List every image to mirror, one a line."""
    with one_clear_error():
        from cdk8s_mlflow.synth.commands import image_references

        for reference in image_references(environments):
            print(reference)


@app.command()
def init(
    name: Annotated[str, typer.Argument(help="Name of the new environment.")],
    mlflow_host: MlflowHost = None,
    keycloak_host: KeycloakHost = None,
    environments: Environments = Path("environments"),
) -> None:
    """Write a new environment file; what is not given is asked for on a terminal."""
    with one_clear_error():
        from cdk8s_mlflow.synth.new_environment import write_environment

        given = {"--mlflow-host": mlflow_host, "--keycloak-host": keycloak_host}
        path = write_environment(environments, name, given=given, ask=terminal(), say=say)
    print(f"wrote {path}; `make synth` renders it")


def terminal() -> Callable[[str], str] | None:
    """How to ask a person; None if standard input is no terminal."""
    return (lambda question: str(typer.prompt(question))) if sys.stdin.isatty() else None


@app.command()
def schema(
    environments: Environments = Path("environments"),
    docs: Annotated[Path, typer.Option(help="Folder of the guides.")] = Path("docs"),
) -> None:
    """Write the JSON Schema of environment files; renew docs/settings.md if it exists."""
    with one_clear_error():
        from cdk8s_mlflow.synth.schema_files import write_schema

        for path in write_schema(environments, docs):
            print(f"wrote {path}")
