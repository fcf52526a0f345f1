"""What an upgrade of a large database does beforehand, while the old server runs on: indexes, columns and values.

None of it is seen by the old server, and all of it is what the revisions would do under their locks: they find it done.
Each index, column and batch is committed by itself, so that a run that was killed is gone on with by the next one.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlflow_sso import log
from mlflow_sso.database import limited_lock_wait
from mlflow_sso.deadline import Deadline
from mlflow_sso.schemas import Schema

TRACE_ANALYTICS = "75868b020152"
"""The revision that moves values of traces and assessments into columns."""
LARGE = 20_000
"""Rows of a table from which on it is prepared; below, the revision itself takes less than half a second for it."""
BATCH = 2000
"""Traces or assessments in one transaction."""
LOCK_WAIT_MILLISECONDS = 500
"""How long a statement may wait for a lock; all who come after it wait as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyIndex:
    """An index that ``revision`` creates."""

    revision: str
    name: str
    table: str
    columns: tuple[str, ...]


EARLY_INDEXES = (
    EarlyIndex(
        revision="a5b4c3d2e1f0",
        name="index_metrics_run_uuid_key_step",
        table="metrics",
        columns=("run_uuid", "key", "step"),
    ),
    EarlyIndex(
        revision="c1d2e3f4a5b6",
        name="index_spans_experiment_id_start_time",
        table="spans",
        columns=("experiment_id", "start_time_unix_nano"),
    ),
)


def prepare(connection: Any, schema: Schema, pending: frozenset[str], *, deadline: Deadline) -> None:
    """Do it on ``connection``, in autocommit, for the revisions ``pending``; raises psycopg2's errors."""
    if schema.name != "mlflow":
        return
    with connection.cursor() as cursor:
        rows = estimated_rows(cursor)
        for index in EARLY_INDEXES:
            if index.revision in pending and rows.get(index.table, 0) >= LARGE:
                _create_index(cursor, index, deadline)
        if TRACE_ANALYTICS not in pending:
            return
        if rows.get("trace_info", 0) >= LARGE:
            _add_columns(cursor, "trace_info", deadline)
            _fill_traces(cursor, _Report(schema.name, "trace_info", rows["trace_info"]))
        if rows.get("assessments", 0) >= LARGE:
            _add_columns(cursor, "assessments", deadline)
            _fill_assessments(cursor, _Report(schema.name, "assessments", rows["assessments"]), schema)


def estimated_rows(cursor: Any) -> Mapping[str, int]:
    """By table of the schema, as PostgreSQL estimates them; counted if it was never analyzed."""
    # So that --help and usage errors need no database driver.
    from psycopg2 import sql

    cursor.execute(
        "SELECT relname, reltuples::bigint FROM pg_class"
        " WHERE relkind IN ('r', 'p') AND relnamespace = to_regnamespace(quote_ident(current_schema()))"
    )
    rows: dict[str, int] = dict(cursor.fetchall())
    for table in [table for table, count in rows.items() if count < 0]:
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        rows[table] = cursor.fetchone()[0]
    return rows


def _create_index(cursor: Any, index: EarlyIndex, deadline: Deadline) -> None:
    from psycopg2 import sql

    cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s))", [index.name])
    found = cursor.fetchone()
    if found and found[0]:
        return
    name, table = sql.Identifier(index.name), sql.Identifier(index.table)
    with limited_lock_wait(cursor.connection, deadline.left):
        if found:
            cursor.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(name))
        message, fields = "creating an index beforehand", {"index": index.name, "table": index.table}
        log.progress(message, database="mlflow", **fields)
        columns = sql.SQL(", ").join(map(sql.Identifier, index.columns))
        with log.still_at_work(message, database="mlflow", **fields):
            cursor.execute(sql.SQL("CREATE INDEX CONCURRENTLY {} ON {} ({})").format(name, table, columns))


def _add_columns(cursor: Any, table: str, deadline: Deadline) -> None:
    """Nullable ones, which take a lock for milliseconds and rewrite nothing."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.store.db.trace_analytics_schema_75868b020152 import analytics_columns_by_table
    from sqlalchemy import MetaData, Table
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateColumn

    dialect = postgresql.dialect()
    whole = Table(table, MetaData(), *analytics_columns_by_table()[table])
    added = [f"ADD COLUMN IF NOT EXISTS {CreateColumn(column).compile(dialect=dialect)}" for column in whole.columns]
    names = [column.name for column in whole.columns]
    cursor.execute(
        "SELECT count(*) FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s AND column_name = ANY (%s)",
        [table, names],
    )
    if cursor.fetchone()[0] < len(added):
        with_short_locks(cursor, f"ALTER TABLE {table} {', '.join(added)}", deadline=deadline)


def with_short_locks(cursor: Any, statement: str, *, deadline: Deadline) -> None:
    """Try until no other transaction is in the way; waiting transactions continue between the attempts.

    Raises psycopg2's ``LockNotAvailable`` at the deadline.
    """
    from psycopg2.errors import LockNotAvailable

    while True:
        cursor.execute("BEGIN")
        try:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_WAIT_MILLISECONDS}ms"])
            cursor.execute(statement)
            cursor.execute("COMMIT")
            return
        except LockNotAvailable:
            cursor.execute("ROLLBACK")
            if deadline.passed:
                raise
            log.progress("waiting for a table in use", database="mlflow", seconds_left=round(deadline.left))
            deadline.pause()


class _Report:
    """Says once in ten seconds how far it is."""

    def __init__(self, database: str, table: str, rows: int) -> None:
        self._database, self._table, self._rows = database, table, rows
        self._done, self._said = 0, time.monotonic()

    def add(self, rows: int) -> None:
        self._done += rows
        if time.monotonic() - self._said >= log.REPEAT_SECONDS:
            self._said = time.monotonic()
            log.progress("preparing", database=self._database, table=self._table, rows=self._done, of=self._rows)


def _fill_traces(cursor: Any, report: _Report) -> None:
    from mlflow_sso.patches.mlflow_3_17_2 import trace_analytics

    for names in _pages(cursor, "trace_info", "request_id"):
        values = trace_analytics.trace_values(_read(cursor, names))
        trace_analytics.write(cursor, "trace_info", "request_id", values)
        report.add(len(names))


def _read(cursor: Any, names: list[str]) -> dict[str, tuple[str | None, dict[str, str]]]:
    """By trace, its name and what its metadata hold."""
    from mlflow_sso.patches.mlflow_3_17_2 import trace_analytics

    cursor.execute(
        "SELECT request_id, value FROM trace_tags WHERE request_id = ANY (%s) AND key = %s",
        [names, trace_analytics.NAME_TAG],
    )
    named = dict(cursor.fetchall())
    metadata: dict[str, dict[str, str]] = {name: {} for name in names}
    cursor.execute(
        "SELECT request_id, key, value FROM trace_request_metadata WHERE request_id = ANY (%s) AND key = ANY (%s)",
        [names, list(trace_analytics.METADATA_KEYS)],
    )
    for name, key, value in cursor.fetchall():
        metadata[name][key] = value
    return {name: (named.get(name), metadata[name]) for name in names}


def _fill_assessments(cursor: Any, report: _Report, schema: Schema) -> None:
    from alembic.script import ScriptDirectory

    from mlflow_sso.patches.mlflow_3_17_2 import trace_analytics

    module = ScriptDirectory(str(schema.scripts)).get_revision(TRACE_ANALYTICS).module
    for names in _pages(cursor, "assessments", "assessment_id"):
        cursor.execute(
            "SELECT assessment_id, value, trace_info.experiment_id, timestamp_ms FROM assessments"
            " JOIN trace_info ON request_id = trace_id WHERE assessment_id = ANY (%s)",
            [names],
        )
        values = trace_analytics.assessment_values(cursor.fetchall(), module._assessment_aggregate)
        trace_analytics.write(cursor, "assessments", "assessment_id", values)
        report.add(len(names))


def _pages(cursor: Any, table: str, key: str) -> Iterator[list[str]]:
    last = ""
    while True:
        cursor.execute(f"SELECT {key} FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT {BATCH}", [last])  # noqa: S608
        names = [name for (name,) in cursor.fetchall()]
        if not names:
            return
        yield names
        last = names[-1]
