"""Whether a database holds what a dump has of it, which a restore that was cut off between its two commits leaves."""

import os
from pathlib import Path
from typing import Any

from mlflow_sso.backup import tables
from mlflow_sso.backup.manifest import DumpedDatabase, DumpedTable
from mlflow_sso.backup.streams import Digest
from mlflow_sso.database import lift_time_limits
from mlflow_sso.revision import schema_state
from mlflow_sso.schemas import Schema


def holds(connection: Any, schema: Schema, database: DumpedDatabase) -> bool:
    """Compare revision, sequences and the text of every table; changes nothing, and ends at the first difference.

    Raises psycopg2's errors.
    """
    if schema_state(connection, schema).revision != database.revision:
        return False
    standing = tables.sequences(connection)
    if any(standing.get(name) != value for name, value in database.sequences.items()):
        return False
    connection.autocommit = False
    try:
        lift_time_limits(connection)
        with connection.cursor() as cursor:
            # As a dump has it; and a scan that joins another one would begin in the middle.
            cursor.execute("SELECT set_config('extra_float_digits', '3', true)")
            cursor.execute("SET LOCAL synchronize_seqscans = off")
        return _has_rows(connection, schema, database)
    finally:
        connection.rollback()
        connection.autocommit = True


def _has_rows(connection: Any, schema: Schema, database: DumpedDatabase) -> bool:
    present = tables.columns(connection, without=[schema.version_table])
    dumped = {table.name: table for table in database.tables}
    # The quick ones first: a database in use is told apart before its large tables are read.
    known = sorted((dumped[name] for name in present.keys() & dumped.keys()), key=lambda table: table.bytes)
    return not any(_rows(connection, name) for name in present.keys() - dumped.keys()) and all(
        set(table.columns) <= set(present[table.name]) and _is_same(connection, table) for table in known
    )


def _rows(connection: Any, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {tables.sql_name(name)})")  # noqa: S608 - a name that is quoted
        return bool(cursor.fetchone()[0])


def _is_same(connection: Any, table: DumpedTable) -> bool:
    with Path(os.devnull).open("wb") as nowhere, connection.cursor() as cursor:
        found = Digest(stream=nowhere)
        # Rows that COPY has loaded lie in the order in which they were dumped.
        cursor.copy_expert(tables.copy_statement(table.name, table.columns, "TO STDOUT"), found)
    return (found.size, found.sha256) == (table.bytes, table.sha256)
