"""``gc``: deletes for good what was marked deleted long enough ago: objects, and the rows that lead to them.

Works on the database and the bucket themselves, so it needs no login.
"""

import re
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from contextlib import closing

from mlflow_sso import log, termination
from mlflow_sso.artifact_store import artifact_store
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.garbage_collection.collection import Collection
from mlflow_sso.object_store import destination
from mlflow_sso.outcomes import recorded
from mlflow_sso.revision import require_head
from mlflow_sso.schemas import schemas
from mlflow_sso.secrets_root import SecretsRoot

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--older-than",
        type=age,
        default=age("30d"),
        metavar="AGE",
        help="how long ago it was marked deleted at least, such as 30d or 12h30m (default: 30d)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")
    add_timeout_argument(parser, default=60, what="PostgreSQL")


def age(text: str) -> int:
    """Seconds of ``30d``, ``12h30m``, ``90s``, in MLflow's notation."""
    # No more digits than PostgreSQL's numbers hold as milliseconds.
    if not re.fullmatch(r"([0-9]{1,6}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?", text) or not text:
        raise ArgumentTypeError(f"{text[:40]!r} is not an age such as 30d or 12h30m")
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"([0-9]+)([dhms])", text))


def run(arguments: Namespace) -> int:
    """Delete what is due and print a line for each thing and one for all.

    Returns 0, or 1 if something could not be deleted and a person has to look at it; raises ``ProgramError``, and
    ``RetryableError`` once it was told to stop by SIGTERM.
    """
    root = SecretsRoot(arguments.secrets_root)
    trust_mounted_authorities(root)
    schema, _ = schemas(root)
    # Only for its error, before a connection is opened and an outcome recorded.
    place = destination()
    termination.expect(termination.PATIENCE)
    deadline = Deadline(arguments.timeout)
    connection = connect(schema, deadline=deadline, program="gc", writable=not arguments.dry_run)
    with (
        closing(connection),
        errors_explained(schema, doing="cannot collect the garbage of"),
        recorded(connection, "gc", dry_run=arguments.dry_run) as outcome,
    ):
        require_head(connection, schema)
        connection.autocommit = False
        collection = Collection(
            connection=connection,
            store=artifact_store(place),
            before=int((time.time() - arguments.older_than) * 1000),
            dry_run=arguments.dry_run,
            should_stop=termination.require_none,
        )
        try:
            collection.collect()
        finally:
            log.result(kind="total", dry_run=arguments.dry_run, **collection.totals)
            outcome.counts = collection.totals
        outcome.succeeded = not collection.counts["blocked"]
    return 0 if outcome.succeeded else 1
