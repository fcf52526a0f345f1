"""The tables of one database, loaded from a dump into those that its revision has created, each checked against it."""

from typing import Any

from mlflow_sso import log
from mlflow_sso.backup import tables
from mlflow_sso.backup.manifest import DumpedDatabase, DumpedTable
from mlflow_sso.backup.target import Dump, Target
from mlflow_sso.changes import CREATE_ENDED_ACCESS, ENDED_ACCESS
from mlflow_sso.database import errors_explained, lift_time_limits
from mlflow_sso.errors import TerminalError
from mlflow_sso.schemas import Schema


def load_database(
    target: Target, dump: Dump, schema: Schema, connection: Any, database: DumpedDatabase, keys: list[Any]
) -> None:
    """Load it in the transaction of ``connection``; raises ``ProgramError`` if a table is not as it was dumped."""
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
