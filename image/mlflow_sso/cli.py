"""The console command ``mlflow-sso``: finds the program, runs it, and turns its errors into exit codes."""

import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from mlflow_sso import termination
from mlflow_sso.errors import ProgramError
from mlflow_sso.libpq import drop_foreign_variables
from mlflow_sso.secrets_root import DEFAULT_ROOT

PROGRAMS = {
    "migrate": "bring both databases to the schema of this image",
    "wait-for-schema": "wait, read-only, until both databases have the schema of this image",
    "serve": "start the tracking server with single sign-on",
    "gc": "delete for good what was marked deleted long enough ago",
    "check": "try every service that the server needs, from where it runs",
    "prune-sessions": "delete expired browser sessions from the database",
    "dump": "store both databases, as they are at one moment, in S3",
    "restore": "load a dump into empty databases",
    "fsck": "compare the database with the bucket, and report what the one has and the other lacks",
    "end-access": "end keys and sessions of users who may no longer log in at Keycloak",
}

OWN_SIGNALS = ("serve",)
"""Programs that take SIGTERM in a way of their own."""


class Program(Protocol):
    """What each module named after a program offers; only the one that is called is imported."""

    def add_arguments(self, parser: ArgumentParser) -> None: ...

    def run(self, arguments: Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> None:
    """Run one program and exit: 0 done, 1 terminal, 2 usage, 75 worth another try."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        sys.exit(_run(arguments))
    except ProgramError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        # As a shell reports SIGINT: 128 and its number.
        sys.exit(130)


def _run(argv: list[str]) -> int:
    if not argv or argv[0] not in PROGRAMS:
        _overview().parse_args(argv or ["--help"])
    # Before a program is imported: libpq's variables of the pod would change where it connects to.
    drop_foreign_variables(os.environ)
    program = cast(Program, import_module(f"mlflow_sso.{argv[0].replace('-', '_')}"))
    parser = ArgumentParser(prog=f"mlflow-sso {argv[0]}", description=PROGRAMS[argv[0]], allow_abbrev=False)
    parser.add_argument(
        "--secrets-root",
        type=Path,
        default=DEFAULT_ROOT,
        metavar="DIR",
        help="where the Secrets are mounted (default: %(default)s)",
    )
    program.add_arguments(parser)
    given = parser.parse_args(argv[1:])
    if argv[0] not in OWN_SIGNALS:
        termination.expect()
    return program.run(given)


def _overview() -> ArgumentParser:
    width = max(map(len, PROGRAMS))
    listing = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in PROGRAMS.items())
    parser = ArgumentParser(
        prog="mlflow-sso",
        description="MLflow with single sign-on: the programs of its container image.",
        epilog=f"programs:\n{listing}\n\n`mlflow-sso PROGRAM --help` explains one of them.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("program", choices=PROGRAMS, metavar="PROGRAM", help="one of the programs below")
    return parser
