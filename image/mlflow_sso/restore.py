"""``restore``: loads a dump into empty databases, checks every row of it, and migrates them to this image.

Both databases are one transaction each, committed when both are whole: killed before that, they are as empty as they
were.
"""

import os
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mlflow_sso import log
from mlflow_sso.backup import streams, tables
from mlflow_sso.backup.manifest import DumpedDatabase, DumpedTable, Manifest
from mlflow_sso.backup.origin import Origin
from mlflow_sso.backup.target import LATEST, Dump, Target
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.changes import CREATE_ENDED_ACCESS, ENDED_ACCESS
from mlflow_sso.database import connect, errors_explained, lift_time_limits
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.errors import TerminalError, UsageError
from mlflow_sso.imports import only_schemas
from mlflow_sso.migrate import migrate
from mlflow_sso.migrate.ownership import require_ownership
from mlflow_sso.outcomes import TABLE as OUTCOMES
from mlflow_sso.revision import schema_state
from mlflow_sso.schemas import Schema, schemas
from mlflow_sso.secrets_root import SecretsRoot


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "dump",
        nargs="?",
        default=LATEST,
        help="name of the dump (default: the newest complete one, if it is of this installation)",
    )
    parser.add_argument("--list", action="store_true", help="list the dumps of the target, newest first")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="age secret key of an encrypted dump")
    add_timeout_argument(parser, default=60, what="PostgreSQL")


def run(arguments: Namespace) -> int:
    """Restore one dump and print a line for each database; raises ``ProgramError``, and then has restored nothing."""
    root = SecretsRoot(arguments.secrets_root)
    trust_mounted_authorities(root)
    both = schemas(root)
    target = Target.from_environment(root)
    keys = _identities(arguments.identity)
    if arguments.list:
        for dump in target.dumps():
            # An unfinished dump does not tell yet whether it is encrypted.
            origin = target.read_origin(dump, keys) if dump.is_complete else None
            log.result(name=dump.name, complete=dump.is_complete, encrypted=dump.is_encrypted, origin=origin)
        return 0
    dump = target.find(arguments.dump)
    manifest = target.read_manifest(dump, keys)
    _require_origin(target, dump, manifest, is_named=arguments.dump != LATEST)
    _require_known(manifest, both)
    target.require_whole(dump, manifest)
    deadline, started = Deadline(arguments.timeout), time.monotonic()
    _restore(target, dump, manifest, both, keys, deadline)
    for schema in both:
        restored = manifest.databases[schema.name]
        outcome = migrate(schema, deadline=Deadline(arguments.timeout))
        rows = sum(table.rows for table in restored.tables)
        log.result(database=schema.name, revision=restored.revision, head=outcome.head, rows=rows)
    log.result(
        action="restored",
        name=dump.name,
        created=manifest.created,
        rows=manifest.rows,
        bytes=manifest.size,
        seconds=round(time.monotonic() - started, 1),
    )
    return 0


def _identities(file: Path | None) -> list[Any]:
    if file is None:
        return []
    try:
        return streams.identities(file.read_text())
    except OSError as error:
        raise UsageError(f"cannot read --identity {file}: {(error.strerror or 'error').lower()}") from None


def _require_origin(target: Target, dump: Dump, manifest: Manifest, *, is_named: bool) -> None:
    """Raise ``TerminalError`` if the newest dump is not of this installation; one that was named is restored."""
    if is_named and not os.environ.get("MLFLOW_ARTIFACTS_DESTINATION"):
        return
    origin = Origin.own()
    if origin.has_written(manifest.artifacts):
        return
    if is_named:
        log.progress(
            "the dump is of an installation with its artifacts at another place",
            level="warning",
            dump=dump.name,
            artifacts=manifest.artifacts,
            here=origin.text,
        )
        return
    own = target.newest_of(origin)
    raise TerminalError(
        f"the newest dump {dump.name} belongs to artifacts at {manifest.artifacts}, but here they are at {origin.text}",
        remedy=f"restore it by its name after a move or a loss of the bucket: `mlflow-sso restore {dump.name}`"
        + (f"; the newest of this installation is {own}" if own else ""),
    )


def _require_known(manifest: Manifest, both: tuple[Schema, Schema]) -> None:
    for schema in both:
        if schema.name not in manifest.databases or not isinstance(manifest.databases[schema.name].revision, str):
            raise TerminalError("the manifest of the dump is damaged", remedy="restore an older dump")
        revision = manifest.databases[schema.name].revision
        # A dump before the end of a first migration has one that is empty.
        if revision and revision not in schema.parents:
            raise TerminalError(
                f"the dump has revision {revision} of {schema.name}, which this image does not know",
                remedy=f"restore it with the image that wrote it (MLflow {manifest.mlflow}), or a newer one",
            )


def _restore(
    target: Target, dump: Dump, manifest: Manifest, both: tuple[Schema, Schema], keys: list[Any], deadline: Deadline
) -> None:
    with only_schemas():
        from mlflow_sso.migrate.upgrade import upgraded
    with ExitStack() as stack:
        connections = [
            stack.enter_context(closing(connect(schema, deadline=deadline, program="restore", writable=True)))
            for schema in both
        ]
        for connection in connections:
            # What a dump holds, whatever the database's own encoding is.
            connection.set_client_encoding("UTF8")
        for schema, connection in zip(both, connections, strict=True):
            _require_empty(connection, schema)
        stack.enter_context(errors_explained(both[0], doing="cannot commit what was restored into"))
        # Left as one, after both were loaded: an error in the second database undoes the first.
        transactions = stack.enter_context(ExitStack())
        with ExitStack() as loading:
            for schema, connection in zip(both, connections, strict=True):
                if not manifest.databases[schema.name].revision:
                    continue
                with errors_explained(schema, doing="cannot restore"):
                    database, before = manifest.databases[schema.name], schema_state(connection, schema)
                    transactions.enter_context(
                        upgraded(connection, schema, before, deadline=deadline, to=database.revision)
                    )
                load = partial(_load, target, dump, schema, connection, database, keys)
                # PostgreSQL sorts the indexes of one while alembic, which works for one at a time, creates the other.
                loading.enter_context(_in_background(load, connection))
        # A session that was lost while it waited must not be found out by its commit, after that of the other.
        _require_all_there(both, connections)
    # COPY leaves the planner without statistics until autovacuum comes by.
    for schema in both:
        _analyse(schema, deadline)


@contextmanager
def _in_background(work: Callable[[], None], connection: Any) -> Iterator[None]:
    """Run ``work``, which uses ``connection``, beside the block, and raise its error at the end of it.

    An error of the block ends the work first: nothing may use the connection while its transaction is rolled back.
    """
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(work)
        try:
            yield
        except BaseException:
            _cancel(running, connection)
            raise
        running.result()


def _cancel(running: "Future[None]", connection: Any) -> None:
    # Between two statements there is nothing to cancel yet.
    while not wait([running], timeout=0.1).done:
        connection.cancel()


def _require_all_there(both: tuple[Schema, Schema], connections: list[Any]) -> None:
    for schema, connection in zip(both, connections, strict=True):
        with errors_explained(schema, doing="cannot restore"), connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def _require_empty(connection: Any, schema: Schema) -> None:
    require_ownership(connection, schema)
    # A program that ran too early may have written down how it ended, as `migrate` knows as well.
    tables_found = sorted(schema_state(connection, schema).tables - {OUTCOMES})
    if tables_found:
        raise TerminalError(
            f"{schema.name} is not empty: it has {len(tables_found)} tables, such as {tables_found[0]}",
            remedy="restore into a new database; `restore` replaces nothing",
        )


def _load(
    target: Target, dump: Dump, schema: Schema, connection: Any, database: DumpedDatabase, keys: list[Any]
) -> None:
    with errors_explained(schema, doing="cannot restore"):
        lift_time_limits(connection)
        _load_tables(target, dump, schema, connection, database, keys)


def _load_tables(
    target: Target, dump: Dump, schema: Schema, connection: Any, database: DumpedDatabase, keys: list[Any]
) -> None:
    if any(table.name == ENDED_ACCESS for table in database.tables):
        # No revision creates it: without its rows, sessions that were ended would be valid again.
        with connection.cursor() as cursor:
            cursor.execute(CREATE_ENDED_ACCESS)
    present = tables.columns(connection, without=[schema.version_table])
    set_aside = tables.SetAside.drop(connection)
    # A revision may have stored rows of its own, which the dump holds as well.
    tables.truncate(connection, list(present))
    for table in database.tables:
        known = set(present.get(table.name, ()))
        foreign = [column for column in table.columns if column not in known]
        if foreign:
            # Others' tables, and columns that a migration to a later revision had prepared, are no rows of this one.
            what = {"columns": foreign} if known else {}
            log.progress("left out what the revision has not", level="warning", table=table.name, **what)
        if known:
            _load_table(target, dump, schema, connection, table, keys, foreign)
    set_aside.restore(connection)
    tables.set_sequences(connection, database.sequences)


def _load_table(
    target: Target,
    dump: Dump,
    schema: Schema,
    connection: Any,
    table: DumpedTable,
    keys: list[Any],
    foreign: list[str],
) -> None:
    with connection.cursor() as cursor:
        # Frozen rows, which a table may take that was emptied in the same transaction, are visible without a look at
        # it: keys are checked sooner, and VACUUM need not write each page once more.
        statement = tables.copy_statement(table.name, table.columns, "FROM STDIN WITH (FREEZE)")
        if foreign:
            cursor.execute(tables.aside_statement(table.name, foreign))
            statement = tables.copy_statement(tables.ASIDE, table.columns, "FROM STDIN")
        digest = target.read(
            dump, f"{schema.name}/{table.name}", lambda file: cursor.copy_expert(statement, file, 1 << 20), keys
        )
        rows = cursor.rowcount
        if foreign:
            kept = [column for column in table.columns if column not in foreign]
            for move in tables.move_statements(table.name, kept):
                cursor.execute(move)
    if (rows, digest.size, digest.sha256) != (table.rows, table.bytes, table.sha256):
        raise TerminalError(
            f"{table.name} of {schema.name} is damaged in the dump {dump.name}: "
            f"{rows} rows and {digest.size} bytes instead of {table.rows} and {table.bytes}, or another checksum",
            remedy="restore an older dump: `mlflow-sso restore --list`",
        )
    log.progress("restored a table", database=schema.name, table=table.name, rows=rows, bytes=digest.size)


def _analyse(schema: Schema, deadline: Deadline) -> None:
    with (
        closing(connect(schema, deadline=deadline, program="restore", writable=True)) as connection,
        errors_explained(schema, doing="cannot analyse"),
        connection.cursor() as cursor,
    ):
        cursor.execute("ANALYZE")
