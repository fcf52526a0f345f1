"""``fsck``: compares the database with the bucket and reports what the one has and the other lacks. Changes nothing.

After a restore, rows may be older than objects or the other way round. Each finding is looked at a second time before
it is reported, since the server continues meanwhile.
"""

import glob
import shlex
from argparse import ArgumentParser, Namespace
from collections import Counter
from contextlib import closing
from typing import Any

from mlflow_sso import log
from mlflow_sso.artifact_store import artifact_store
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.consistency.missing import find_missing
from mlflow_sso.consistency.orphans import Orphans
from mlflow_sso.database import connect, errors_explained, lift_time_limits
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.object_store import Folder, destination
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
    deadline, place = Deadline(timeout), destination()
    store = artifact_store(place)
    found: dict[object, dict[str, Any]] = {}
    with (
        closing(connect(schema, deadline=deadline, program="fsck")) as connection,
        errors_explained(schema, doing="cannot compare the bucket with"),
    ):
        require_head(connection, schema)
        # One view of all tables, whatever the server writes meanwhile.
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        # It is idle while the bucket is listed.
        lift_time_limits(connection)
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
                "repair": _removal(orphan.folder, whole=orphan.whole),
            }
    return found


def _removal(folder: Folder, *, whole: bool) -> str:
    """A command for a person, once they have looked at it."""
    if folder.is_blob:
        return _removal_of_blobs(folder, whole=whole)
    if folder.is_google:
        # Two stars go down into folders; gcloud reads brackets as the shell does.
        place = f"gs://{folder.bucket}/{glob.escape(folder.prefix)}{'**' if whole else '*'}"
        return f"gcloud storage rm {shlex.quote(place)}"
    kept = "" if whole else " --exclude '*/*'"
    return f"aws s3 rm --recursive {shlex.quote(str(folder))}{kept}"


def _removal_of_blobs(folder: Folder, *, whole: bool) -> str:
    container, _, host = folder.bucket.partition("@")
    place = f"--account-name {host.partition('.')[0]} --auth-mode login"
    if whole:
        pattern = shlex.quote(f"{glob.escape(folder.prefix)}*")
        return f"az storage blob delete-batch {place} --source {container} --pattern {pattern}"
    listed = (
        f"az storage blob list {place} --container-name {container} --prefix {shlex.quote(folder.prefix)} --delimiter /"
    )
    return f"{listed}, then `az storage blob delete` for those that are not folders"
