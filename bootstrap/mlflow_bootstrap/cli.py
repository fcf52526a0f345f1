"""The command line of bootstrap.py; heavy imports wait until a command runs."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlflow_bootstrap.exit_codes import one_clear_error
from mlflow_bootstrap.options import (
    Adopt,
    AdoptEarlier,
    CreateRealm,
    Environment,
    Folder,
    Format,
    NoWait,
    Only,
    PrintTo,
    Timeout,
)
from mlflow_bootstrap.systems import PARTS, PartName, RotatableEntry

if TYPE_CHECKING:
    from mlflow_bootstrap.engine import Outcome
    from mlflow_bootstrap.output import Output
    from mlflow_bootstrap.run import Run

app = typer.Typer(
    help="Bring Keycloak, PostgreSQL, MinIO and the secret store to what an environment file says.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None, *, program: str | None = None) -> None:
    """Run a command and leave with its exit code: 0, 1 failed or drifted, 2 usage, 3 unreachable or refused.

    ``arguments`` and the name of the ``program`` are by default those of the process.
    """
    with one_clear_error():
        app(arguments, prog_name=program)


def _open(
    environment: str,
    folder: Path,
    form: str,
    *,
    create_realm: bool = False,
    probe: bool = False,
    print_to: Path | None = None,
    adopt: list[str] | None = None,
    adopt_earlier: bool = False,
) -> "tuple[Run, Output]":
    # Late, so that --help loads neither pydantic nor the library of any system.
    from mlflow_bootstrap.credentials import Credentials
    from mlflow_bootstrap.environment import settings_of
    from mlflow_bootstrap.output import Format as OutputFormat
    from mlflow_bootstrap.output import Output
    from mlflow_bootstrap.ownership import Adoption
    from mlflow_bootstrap.run import Run, once

    output = Output(OutputFormat(form))
    settings = settings_of(environment, folder=folder, environ=os.environ, say=output.note)
    run = Run(
        settings=settings,
        credentials=Credentials(),
        report=once(output.report),
        step=output.step,
        adoption=Adoption(addresses=frozenset(adopt or ()), earlier=adopt_earlier),
        create_realm=create_realm,
        probe=probe,
        print_to=print_to,
    )
    return run, output


def _finish(
    output: "Output", environment: str, outcome: "Outcome", *, done: bool = True, drift_fails: bool = False
) -> None:
    output.finish(environment, outcome, done=done)
    # The highest code wins: 3, a system that could not be asked, says more than 1, a difference.
    codes = [failure.error.exit_code for failure in outcome.failures]
    raise typer.Exit(max([*codes, 1 if drift_fails and outcome.pending else 0]))


@app.command()
def plan(
    only: Only = None,
    environment: Environment = "production",
    environments: Folder = Path("environments"),
    output: Format = "text",
    create_realm: CreateRealm = False,
    adopt: Adopt = None,
    adopt_earlier: AdoptEarlier = False,
) -> None:
    """Say what apply would do, and write nothing."""
    run, printer = _open(
        environment, environments, output, create_realm=create_realm, adopt=adopt, adopt_earlier=adopt_earlier
    )
    outcome = run.plan([only] if only else PARTS)
    _finish(printer, environment, outcome, done=False)


@app.command()
def apply(
    only: Only = None,
    environment: Environment = "production",
    environments: Folder = Path("environments"),
    output: Format = "text",
    create_realm: CreateRealm = False,
    print_secrets_to: PrintTo = None,
    adopt: Adopt = None,
    adopt_earlier: AdoptEarlier = False,
) -> None:
    """Bring everything, or one part, to what the environment file says."""
    run, printer = _open(
        environment,
        environments,
        output,
        create_realm=create_realm,
        print_to=print_secrets_to,
        adopt=adopt,
        adopt_earlier=adopt_earlier,
    )
    outcome = run.apply([only] if only else PARTS)
    _finish(printer, environment, outcome)


@app.command()
def verify(
    only: Only = None,
    environment: Environment = "production",
    environments: Folder = Path("environments"),
    output: Format = "text",
) -> None:
    """Exit 1 if anything is not as the environment file says."""
    from mlflow_bootstrap import keycloak

    run, printer = _open(environment, environments, output, probe=True)
    outcome = run.plan([only] if only else PARTS)
    if only in (None, "keycloak") and not outcome.failures:
        for path in keycloak.namesakes(run.context_without_values):
            printer.note(f"warning: group {path} has the name of one of ours, and its members get nothing by it")
    _finish(printer, environment, outcome, done=False, drift_fails=True)


def _shorthand(part: PartName) -> Callable[..., None]:
    def command(
        environment: Environment = "production",
        environments: Folder = Path("environments"),
        output: Format = "text",
        create_realm: CreateRealm = False,
        print_secrets_to: PrintTo = None,
        adopt: Adopt = None,
        adopt_earlier: AdoptEarlier = False,
    ) -> None:
        apply(part, environment, environments, output, create_realm, print_secrets_to, adopt, adopt_earlier)

    return command


for _part in PARTS:
    # The names are those of the systems, which typer would otherwise take from the function.
    app.command(name=_part, help=f"The same as `apply {_part}`.")(_shorthand(_part))


@app.command()
def add_user_to_group(
    user: Annotated[str, typer.Argument(help="User name or e-mail.")],
    group: Annotated[str, typer.Argument(help="One of the environment's groups.")],
    environment: Environment = "production",
    environments: Folder = Path("environments"),
) -> None:
    """Put a user of the realm into a group."""
    from mlflow_bootstrap import keycloak

    run, _ = _open(environment, environments, "text")
    added = keycloak.add_user_to_group(run.context_without_values, user=user, group=group)
    print(f"{user} is now in {group}" if added else f"{user} was in {group} already")


@app.command()
def remove_user_from_group(
    user: Annotated[str, typer.Argument(help="User name or e-mail.")],
    group: Annotated[str, typer.Argument(help="One of the environment's groups.")],
    environment: Environment = "production",
    environments: Folder = Path("environments"),
) -> None:
    """Take a user of the realm out of a group."""
    from mlflow_bootstrap import keycloak

    run, _ = _open(environment, environments, "text")
    removed = keycloak.remove_user_from_group(run.context_without_values, user=user, group=group)
    print(f"{user} is no longer in {group}" if removed else f"{user} was not in {group}")


@app.command()
def list_users(
    environment: Environment = "production",
    environments: Folder = Path("environments"),
    output: Format = "text",
) -> None:
    """List the members of the environment's groups."""
    from mlflow_bootstrap import keycloak
    from mlflow_bootstrap.members import document, table

    run, _ = _open(environment, environments, output)
    users = keycloak.list_users(run.context_without_values, progress=lambda line: print(line, file=sys.stderr))
    print(document(users) if output == "json" else table(users))


@app.command()
def rotate(
    what: Annotated[RotatableEntry, typer.Argument(help="Whose secret to renew.")],
    environment: Environment = "production",
    environments: Folder = Path("environments"),
    output: Format = "text",
    no_wait: NoWait = False,
    timeout: Timeout = 900,
) -> None:
    """Renew a secret in the store and in its system, and wait until pods use it; for the server only session keys."""
    from mlflow_bootstrap.rotation import renew

    run, printer = _open(environment, environments, output)
    _finish(printer, environment, renew(run, what, say=printer.note, wait_seconds=0 if no_wait else timeout))


@app.command()
def end_access(
    environment: Environment = "production",
    environments: Folder = Path("environments"),
    output: Format = "text",
    apply: Annotated[bool, typer.Option("--apply", help="End it; without, only say whose it is.")] = False,
) -> None:
    """Say whose access keys and sessions outlive their place in Keycloak, and end them with --apply."""
    from mlflow_bootstrap import engine
    from mlflow_bootstrap.end_access import ended_access
    from mlflow_bootstrap.engine import Action, Change, Outcome

    run, printer = _open(environment, environments, output)
    found = ended_access(run.context)
    for access in found:
        printer.note(f"{access.user}: {access.reason}")
    planned = tuple(Change(Action.DELETE, access.address) for access in found)
    if apply:
        outcome = engine.destroy(found, report=run.report)
    else:
        for change in planned:
            run.report(change)
        outcome = Outcome(planned)
    _finish(printer, environment, outcome, done=apply)


@app.command()
def destroy(
    environment: Environment = "production",
    environments: Folder = Path("environments"),
    output: Format = "text",
    delete_data: Annotated[
        list[str] | None,
        typer.Option("--delete-data", help="Address of a database, bucket or entry to delete.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
) -> None:
    """Take away what we own; databases, bucket and the keys to them stay unless --delete-data names them."""
    from mlflow_bootstrap.destruction import check_addresses, confirm, delete_all

    run, printer = _open(environment, environments, output)
    data = check_addresses(run, delete_data or [])
    confirm(environment, data, yes=yes, ask=typer.prompt if sys.stdin.isatty() else None)
    _finish(printer, environment, delete_all(run, data))


export = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(export, name="export", help="Write what a script may not apply itself.")


@export.callback()
def _export() -> None:
    """Write what a script may not apply itself."""


@export.command("keycloak")
def export_keycloak(environment: Environment = "production", environments: Folder = Path("environments")) -> None:
    """The realm's fragment as JSON, for Keycloak's partial import; it holds no secret."""
    import json

    from mlflow_bootstrap import keycloak

    run, _ = _open(environment, environments, "json")
    print(json.dumps(keycloak.export(run.settings), indent=2))
