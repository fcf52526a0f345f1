"""``fsck``: compares the database with the bucket and reports what the one has and the other lacks. Changes nothing.

After a restore, rows may be older than objects or the other way round. Each finding is looked at a second time before
it is reported, since the server continues meanwhile.
"""

import shlex
from argparse import ArgumentParser, Namespace
from collections import Counter
from contextlib import closing
from typing import Any

from mlflow_sso import log
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.consistency.missing import find_missing
from mlflow_sso.consistency.orphans import Orphans
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.object_store import ObjectStore, destination
from mlflow_sso.revision import require_head
from mlflow_sso.schemas import Schema, schemas
from mlflow_sso.secrets_root import SecretsRoot


def add_arguments(parser: ArgumentParser) -> None:
    add_timeout_argument(parser, default=60, what="PostgreSQL")


def run(arguments: Namespace) -> int:
    """Print a line for each finding and one for all; 1 if there are any. Raises ``ProgramError``."""
    root = SecretsRoot(arguments.secrets_root)
    trust_mounted_authorities(root)
    schema, _ = schemas(root)
    destination()
    # Only for its error, before anything is connected to.
    first = _findings(schema, arguments.timeout)
    second = _findings(schema, arguments.timeout) if first else {}
    found = [second[key] for key in first if key in second]
    for finding in found:
        log.result(**finding)
    counts = Counter(str(finding["finding"]) for finding in found)
    log.result(finding="total", rows_without_objects=counts["row"], folders_without_rows=counts["objects"])
    return 1 if found else 0


def _findings(schema: Schema, timeout: float) -> dict[object, dict[str, Any]]:
    """What one look finds, by what it is about."""
    deadline, store, place = Deadline(timeout), ObjectStore(), destination()
    found: dict[object, dict[str, Any]] = {}
    with (
        closing(connect(schema, deadline=deadline, program="fsck")) as connection,
        errors_explained(schema, doing="cannot compare the bucket with"),
    ):
        require_head(connection, schema)
        # One view of all tables, whatever the server writes meanwhile.
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        for missing in find_missing(connection, store, place):
            found["row", missing.kind, missing.id, missing.location] = {
                "finding": "row",
                "kind": missing.kind,
                "id": missing.id,
                "location": missing.location,
                "repair": "bring its objects back from a version or a copy of the bucket, or delete the row in MLflow",
            }
        for orphan in Orphans(connection=connection, store=store, root=place).find():
            found["objects", orphan.folder, orphan.whole] = {
                "finding": "objects",
                "location": str(orphan.folder),
                "objects": orphan.size.objects,
                "bytes": orphan.size.bytes,
                "with_subfolders": orphan.whole,
                "repair": _removal(str(orphan.folder), whole=orphan.whole),
            }
    return found


def _removal(location: str, *, whole: bool) -> str:
    """A command for a person, once they have looked at it."""
    kept = "" if whole else " --exclude '*/*'"
    return f"aws s3 rm --recursive {shlex.quote(location)}{kept}"
