"""``prune-sessions``: deletes expired browser sessions, which the plugin itself never removes from its database."""

from argparse import ArgumentParser, Namespace
from contextlib import closing, redirect_stdout
from io import StringIO

from mlflow_sso import log
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.errors import UsageError
from mlflow_sso.releases import installed
from mlflow_sso.revision import require_head
from mlflow_sso.schemas import Schema, schemas
from mlflow_sso.secrets_root import SecretsRoot


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say how many would be deleted, and delete nothing")
    add_timeout_argument(parser, default=60, what="PostgreSQL")


def run(arguments: Namespace) -> int:
    """Run the plugin's own command and print each of its lines; raises ``ProgramError``."""
    release = installed()
    if not release.sessions_in_database:
        raise UsageError(
            f"release {release.mlflow} keeps no sessions in the database",
            remedy="leave prune-sessions out: its session store forgets by itself",
        )
    _, schema = schemas(SecretsRoot(arguments.secrets_root))
    connection = connect(schema, deadline=Deadline(arguments.timeout), program="prune-sessions", writable=True)
    with closing(connection), errors_explained(schema, doing="cannot read"):
        require_head(connection, schema)
    for line in _prune(schema, dry_run=arguments.dry_run):
        log.result(database=schema.name, message=line)
    return 0


def _prune(schema: Schema, *, dry_run: bool) -> list[str]:
    from mlflow_oidc_auth.db.cli import commands
    from sqlalchemy.exc import DBAPIError

    printed = StringIO()
    arguments = ["prune-sessions", "--url", schema.uri, *(["--dry-run"] if dry_run else [])]
    try:
        with redirect_stdout(printed), errors_explained(schema, doing="cannot prune the sessions of"):
            commands(arguments, standalone_mode=False)
    except DBAPIError as error:
        with errors_explained(schema, doing="cannot prune the sessions of"):
            raise error.orig or error from None
    return printed.getvalue().splitlines()
