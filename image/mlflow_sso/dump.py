"""``dump``: stores both databases, as they are at one moment, in S3: streamed, compressed, encrypted if a key is named.

Rows only: ``restore`` creates the tables by the same alembic revisions, whatever the version of PostgreSQL is.
Artifacts are not part of it.
"""

import os
import time
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from typing import Any

from mlflow_sso import log, termination
from mlflow_sso.backup import streams, tables
from mlflow_sso.backup.manifest import DumpedDatabase, DumpedTable, Manifest
from mlflow_sso.backup.origin import Origin
from mlflow_sso.backup.snapshot import Snapshot, consistent_snapshot
from mlflow_sso.backup.target import Target
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.changes import TABLE as CHANGES
from mlflow_sso.database import errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.errors import TerminalError
from mlflow_sso.outcomes import TABLE as OUTCOMES
from mlflow_sso.releases import installed
from mlflow_sso.revision import SchemaState, schema_state
from mlflow_sso.schemas import Schema, schemas
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.whole_numbers import within

MOST = 36_500
"""Days, or dumps, that can be asked for: a century."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--keep-days",
        type=within(1, MOST),
        default=14,
        metavar="DAYS",
        help="delete older dumps once this one is complete (default: %(default)d)",
    )
    parser.add_argument(
        "--keep-at-least",
        type=within(1, MOST),
        default=3,
        metavar="COUNT",
        help="complete dumps that stay whatever their age (default: %(default)d)",
    )
    parser.add_argument(
        "--before-migration",
        action="store_true",
        help="only if a database has an older schema than this image; delete no dump",
    )
    add_timeout_argument(parser, default=60, what="PostgreSQL")


def run(arguments: Namespace) -> int:
    """Write one dump and print a line for each database and one for all; raises ``ProgramError``.

    What a run that failed has written has no manifest: no program takes it for a dump, and a later run deletes it.
    """
    root = SecretsRoot(arguments.secrets_root)
    trust_mounted_authorities(root)
    both = schemas(root)
    target = Target.from_environment(root)
    keys = streams.recipients(os.environ.get("MLFLOW_SSO_BACKUP_RECIPIENTS", ""))
    origin = Origin.own()
    termination.expect(termination.PATIENCE)
    started = time.monotonic()
    with consistent_snapshot(both, deadline=Deadline(arguments.timeout), program="dump") as snapshot:
        reason = _reason_to_skip(both, snapshot, before_migration=arguments.before_migration)
        if reason:
            log.result(action="none", reason=reason)
            return 0
        name = target.new(snapshot.created)
        target.write_origin(name, origin, keys)
        manifest = _write(target, name, both, snapshot, keys, origin)
    target.write_manifest(name, manifest, keys)
    log.result(
        action="dumped",
        name=name,
        target=str(target.folder),
        encrypted=bool(keys),
        rows=manifest.rows,
        bytes=manifest.size,
        seconds=round(time.monotonic() - started, 1),
    )
    if not arguments.before_migration:
        for dump in target.expired(origin, keep_days=arguments.keep_days, keep_at_least=arguments.keep_at_least):
            log.result(action="deleted", name=dump.name, complete=dump.is_complete, objects=target.delete(dump))
        if aborted := target.abort_uploads():
            log.result(action="aborted", uploads=aborted)
    return 0


def _reason_to_skip(both: tuple[Schema, Schema], snapshot: Snapshot, *, before_migration: bool) -> str:
    states = [schema_state(connection, schema) for schema, connection in zip(both, snapshot.connections, strict=True)]
    if before_migration and all(state.revision is None for state in states):
        return "the databases are empty"
    # A first migration that was cut off between the two leaves one as it should be, and the other empty.
    if before_migration and all(
        state.is_at_head(schema) or is_empty(state) for state, schema in zip(states, both, strict=True)
    ):
        return "there is nothing to migrate"
    for state, schema in zip(states, both, strict=True):
        if state.revision is None and not (before_migration and is_empty(state)):
            raise TerminalError(f"{schema.name} has no {schema.version_table}", remedy="run `mlflow-sso migrate` first")
    return ""


def is_empty(state: SchemaState) -> bool:
    """Whether nothing is in a database but what programs of ours have noted there."""
    return state.revision is None and not state.tables - {CHANGES, OUTCOMES}


def _write(
    target: Target,
    name: str,
    both: tuple[Schema, Schema],
    snapshot: Snapshot,
    keys: list[Any],
    origin: Origin,
) -> Manifest:
    databases = {}
    for schema, connection in zip(both, snapshot.connections, strict=True):
        with errors_explained(schema, doing="cannot dump"):
            revision = schema_state(connection, schema).revision or ""
            dumped = []
            # restore runs the revisions, which write that table by themselves.
            for table, columns in tables.columns(connection, without=[schema.version_table]).items():
                termination.require_none()
                dumped.append(_dump_table(target, name, schema, connection, table, columns, keys))
            databases[schema.name] = DumpedDatabase(
                revision=revision, tables=tuple(dumped), sequences=tables.sequences(connection)
            )
    return Manifest(
        created=datetime.fromtimestamp(snapshot.created, UTC).isoformat(timespec="milliseconds"),
        mlflow=installed().mlflow,
        artifacts=origin.text,
        databases=databases,
    )


def _dump_table(
    target: Target,
    name: str,
    schema: Schema,
    connection: Any,
    table: str,
    columns: tuple[str, ...],
    keys: list[Any],
) -> DumpedTable:
    with connection.cursor() as cursor:
        statement = tables.copy_statement(table, columns, "TO STDOUT")
        digest = target.write(name, f"{schema.name}/{table}", lambda file: cursor.copy_expert(statement, file), keys)
        rows = cursor.rowcount
    log.progress("dumped a table", database=schema.name, table=table, rows=rows, bytes=digest.size)
    return DumpedTable(name=table, columns=columns, rows=rows, bytes=digest.size, sha256=digest.sha256)
