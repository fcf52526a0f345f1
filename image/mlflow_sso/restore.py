"""``restore``: loads a dump into empty databases, checks every row of it, and migrates them to this image.

Both databases are one transaction each, committed when both are whole: killed before that, they are as empty as they
were. PostgreSQL has no transaction of two databases, unless an administrator allows prepared ones: killed between the
commits, one holds the dump, and the next run, which compares it row by row, loads the other.
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
from mlflow_sso.backup import streams
from mlflow_sso.backup.loading import load_database
from mlflow_sso.backup.manifest import DumpedDatabase, Manifest
from mlflow_sso.backup.origin import Origin
from mlflow_sso.backup.restored import holds
from mlflow_sso.backup.target import LATEST, Dump, Target
from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.changes import TABLE as CHANGES
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.errors import ProgramError, TerminalError, UsageError
from mlflow_sso.imports import only_schemas
from mlflow_sso.migrate import migrate
from mlflow_sso.migrate.lock import MigrationLock
from mlflow_sso.migrate.ownership import require_ownership
from mlflow_sso.outcomes import TABLE as OUTCOMES
from mlflow_sso.revision import schema_state
from mlflow_sso.schemas import Schema, schemas
from mlflow_sso.secrets_root import SecretsRoot

PROGRAM = "restore"


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
    # Also where both hold the dump already: the run before ended between its commits and this.
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
    """Load and commit what is missing."""
    with ExitStack() as stack:
        connections = [
            (schema, stack.enter_context(closing(connect(schema, deadline=deadline, program=PROGRAM, writable=True))))
            for schema in both
        ]
        for schema, connection in connections:
            # What a dump holds, whatever the database's own encoding is.
            connection.set_client_encoding("UTF8")
            # Another restore, or a migration, would take the database for empty until this one commits.
            lock = stack.enter_context(closing(MigrationLock(schema, deadline)))
            with errors_explained(schema, doing="cannot restore"):
                lock.acquire()
        missing = _missing(connections, manifest)
        _load_and_commit(target, dump, manifest, missing, keys, deadline)
    # COPY leaves the planner without statistics until autovacuum comes by.
    for schema, _ in missing:
        _analyse(schema, deadline)


def _load_and_commit(
    target: Target,
    dump: Dump,
    manifest: Manifest,
    missing: list[tuple[Schema, Any]],
    keys: list[Any],
    deadline: Deadline,
) -> None:
    with only_schemas():
        from mlflow_sso.migrate.upgrade import upgraded
    committed: list[str] = []
    # Left as one, after all were loaded: an error in the second database undoes the first.
    with ExitStack() as transactions:
        with ExitStack() as loading:
            for schema, connection in missing:
                transactions.enter_context(_commit_explained(schema, committed))
                with errors_explained(schema, doing="cannot restore"):
                    database, before = manifest.databases[schema.name], schema_state(connection, schema)
                    transactions.enter_context(
                        upgraded(connection, schema, before, deadline=deadline, to=database.revision)
                    )
                load = partial(load_database, target, dump, schema, connection, database, keys)
                # PostgreSQL sorts the indexes of one while alembic, which works for one at a time, creates the other.
                loading.enter_context(_in_background(load, connection))
        # A session that was lost while it waited must not be found out by its commit, after that of the other.
        _require_all_there(missing)


@contextmanager
def _commit_explained(schema: Schema, committed: list[str]) -> Iterator[None]:
    """Note that the block has committed ``schema``, or raise an error that tells what is committed without it."""
    try:
        with errors_explained(schema, doing="cannot commit what was restored into"):
            yield
    except ProgramError as error:
        if not committed:
            raise
        raise type(error)(
            f"{error.message}; {committed[0]} is restored",
            remedy="run it again: it keeps what holds the dump already, and loads the rest",
        ) from None
    committed.append(schema.name)


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


def _require_all_there(connections: list[tuple[Schema, Any]]) -> None:
    for schema, connection in connections:
        with errors_explained(schema, doing="cannot restore"), connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def _missing(connections: list[tuple[Schema, Any]], manifest: Manifest) -> list[tuple[Schema, Any]]:
    """The databases to load; raises ``TerminalError`` if one holds anything but the dump's."""
    found = {}
    for schema, connection in connections:
        with errors_explained(schema, doing="cannot restore"):
            require_ownership(connection, schema)
            # A program that ran too early may have written down how it ended, as `migrate` knows as well.
            found[schema.name] = sorted(schema_state(connection, schema).tables - {OUTCOMES})
    # What was migrated may be in use.
    is_new = not any(CHANGES in names for names in found.values())
    missing = []
    for schema, connection in connections:
        database = manifest.databases[schema.name]
        if not found[schema.name]:
            missing += [(schema, connection)] if database.revision else []
        elif is_new and _holds(connection, schema, database):
            # A restore that ended between its two commits has left it.
            log.progress("the database holds the dump already", database=schema.name)
        else:
            raise _not_empty(schema, found[schema.name])
    return missing


def _holds(connection: Any, schema: Schema, database: DumpedDatabase) -> bool:
    with errors_explained(schema, doing="cannot restore"):
        return bool(database.revision) and holds(connection, schema, database)


def _not_empty(schema: Schema, found: list[str]) -> TerminalError:
    return TerminalError(
        f"{schema.name} is not empty: it has {len(found)} tables, such as {found[0]}",
        remedy="restore into a new database, since `restore` replaces nothing; if one has loaded both, run "
        "`mlflow-sso migrate`",
    )


def _analyse(schema: Schema, deadline: Deadline) -> None:
    with (
        closing(connect(schema, deadline=deadline, program=PROGRAM, writable=True)) as connection,
        errors_explained(schema, doing="cannot analyse"),
        connection.cursor() as cursor,
    ):
        cursor.execute("ANALYZE")
