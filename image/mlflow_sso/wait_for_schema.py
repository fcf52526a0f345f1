"""``wait-for-schema``: holds a pod back until the migration is done. Reads only and takes no lock."""

from argparse import ArgumentParser, Namespace
from contextlib import closing

from mlflow_sso import log
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.errors import RetryableError
from mlflow_sso.revision import SchemaState, schema_state
from mlflow_sso.schemas import Schema, schemas
from mlflow_sso.secrets_root import SecretsRoot


def add_arguments(parser: ArgumentParser) -> None:
    add_timeout_argument(parser, default=300, what="the migration")


def run(arguments: Namespace) -> int:
    """Return once both databases are at the heads of this image.

    Raises:
        RetryableError: not reachable, or not migrated in time.
        TerminalError: a database is newer than this image (at once), or refuses the role (once the time is up).
    """
    deadline = Deadline(arguments.timeout)
    for schema in schemas(SecretsRoot(arguments.secrets_root)):
        _wait(schema, deadline)
        log.result(database=schema.name, revision=schema.head, ready=True)
    return 0


def _wait(schema: Schema, deadline: Deadline) -> None:
    while not (now := read(schema, deadline)).is_at_head(schema):
        if deadline.passed:
            raise RetryableError(
                f"{schema.name} is at {now.revision or 'no revision'}, not yet at {schema.head}",
                remedy="look at the migration Job, or run `mlflow-sso migrate`",
            )
        log.progress(
            "waiting for the migration",
            database=schema.name,
            revision=now.revision,
            head=schema.head,
            seconds_left=round(deadline.left),
        )
        deadline.pause()


def read(schema: Schema, deadline: Deadline) -> SchemaState:
    """The state of one database now, over a connection of its own; raises ``ProgramError``."""
    with closing(connect(schema, deadline=deadline, program="wait-for-schema")) as connection:
        # In autocommit it would be set for the session, which may be a pooler's and then the server's.
        connection.set_session(readonly=True, autocommit=False)
        with errors_explained(schema, doing="cannot read"):
            return schema_state(connection, schema)
