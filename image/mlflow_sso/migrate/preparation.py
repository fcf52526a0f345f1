"""What an upgrade of a large database does beforehand, while the old server runs on: indexes, columns and values.

None of it is seen by the old server, and all of it is what the revisions would do under their locks: they find it done.
Each index, column and batch is committed by itself, so that a run that was killed is gone on with by the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlflow_sso import log
from mlflow_sso.database import limited_lock_wait
from mlflow_sso.deadline import Deadline
from mlflow_sso.schemas import Schema

TRACE_ANALYTICS = "75868b020152"
"""The revision that moves values of traces and assessments into columns."""
LARGE = 20_000
"""Rows of a table from which on it is prepared; below, the revision itself takes less than half a second for it."""
LOCK_WAIT_MILLISECONDS = 500
"""How long a statement may wait for a lock; all who come after it wait as long."""


@dataclass(frozen=True, slots=True)
class EarlyIndex:
    """An index that ``revision`` creates."""

    revision: str
    name: str
    table: str
    columns: tuple[str, ...]
    suffix: str = ""
    """What follows the columns in its definition."""


EARLY_INDEXES = (
    EarlyIndex("a5b4c3d2e1f0", "index_metrics_run_uuid_key_step", "metrics", ("run_uuid", "key", "step")),
    EarlyIndex(
        "c1d2e3f4a5b6", "index_spans_experiment_id_start_time", "spans", ("experiment_id", "start_time_unix_nano")
    ),
    EarlyIndex(
        "1971f2d9a75b", "index_trace_info_timestamp_ms_request_id", "trace_info", ("timestamp_ms", "request_id")
    ),
)
OF_COSTS = (
    " INCLUDE (input_cost, output_cost, total_cost, model_name, model_provider)"
    " WHERE input_cost IS NOT NULL OR output_cost IS NOT NULL OR total_cost IS NOT NULL"
)
ANALYTICS_INDEXES = (
    EarlyIndex(
        TRACE_ANALYTICS,
        "idx_spans_cost_trace_time_cover",
        "spans",
        ("trace_id", "start_time_unix_nano"),
        suffix=OF_COSTS,
    ),
    EarlyIndex(
        TRACE_ANALYTICS,
        "idx_spans_cost_exp_time_cover",
        "spans",
        ("experiment_id", "start_time_unix_nano"),
        suffix=OF_COSTS,
    ),
    EarlyIndex(
        TRACE_ANALYTICS, "index_trace_info_experiment_id_session_id", "trace_info", ("experiment_id", "session_id")
    ),
    EarlyIndex(TRACE_ANALYTICS, "idx_assessments_exp_trace_ts", "assessments", ("experiment_id", "trace_timestamp_ms")),
    EarlyIndex(
        TRACE_ANALYTICS,
        "idx_assessments_exp_trace_ts_name",
        "assessments",
        ("experiment_id", "trace_timestamp_ms", "name"),
    ),
    EarlyIndex(TRACE_ANALYTICS, "idx_assessments_exp_name_valid", "assessments", ("experiment_id", "name", "valid")),
)
"""Of columns that have to be added and filled first."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """Which tables were filled by this process."""

    traces_since: int | None = None
    """The oldest transaction that was running when it began; None if the traces were not filled."""
    assessments_since: int | None = None
    assessments_by: tuple[str, ...] = ()
    """Transactions that filled assessments."""


def prepare(connection: Any, schema: Schema, pending: frozenset[str], *, deadline: Deadline) -> Filled:
    """Do it on ``connection``, in autocommit, for the revisions ``pending``; raises psycopg2's errors."""
    if schema.name != "mlflow":
        return Filled()
    with connection.cursor() as cursor:
        rows = estimated_rows(cursor)
        _create_indexes(cursor, EARLY_INDEXES, pending, rows, deadline)
        if TRACE_ANALYTICS not in pending:
            return Filled()
        filled = _fill(cursor, schema, rows, deadline)
        _create_indexes(cursor, ANALYTICS_INDEXES, pending, rows, deadline)
        return filled


def _fill(cursor: Any, schema: Schema, rows: Mapping[str, int], deadline: Deadline) -> Filled:
    # It imports SQLAlchemy, which only an upgrade spends the time for.
    from mlflow_sso.migrate.analytics import Report, aggregate_of, fill_assessments, fill_traces

    if rows.get("spans", 0) >= LARGE:
        _add_columns(cursor, "spans", deadline)
    filled = Filled()
    if rows.get("trace_info", 0) >= LARGE:
        _add_columns(cursor, "trace_info", deadline)
        since = fill_traces(cursor, Report(schema.name, "trace_info", rows["trace_info"]))
        filled = replace(filled, traces_since=since)
    if rows.get("assessments", 0) >= LARGE:
        _add_columns(cursor, "assessments", deadline)
        report = Report(schema.name, "assessments", rows["assessments"])
        since, ours = fill_assessments(cursor, report, aggregate_of(schema))
        filled = replace(filled, assessments_since=since, assessments_by=ours)
    return filled


def estimated_rows(cursor: Any) -> Mapping[str, int]:
    """By table of the schema, as PostgreSQL estimates them; counted if it was never analyzed."""
    # So that --help and usage errors need no database driver.
    from psycopg2 import sql

    cursor.execute(
        "SELECT relname, reltuples::bigint FROM pg_class"
        " WHERE relkind IN ('r', 'p') AND relnamespace = to_regnamespace(quote_ident(current_schema()))"
    )
    rows: dict[str, int] = dict(cursor.fetchall())
    # PostgreSQL 14 and newer say -1 of a table that was never analyzed.
    for table in [table for table, count in rows.items() if count < 0]:
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        rows[table] = cursor.fetchone()[0]
    return rows


def _create_indexes(
    cursor: Any,
    indexes: tuple[EarlyIndex, ...],
    pending: frozenset[str],
    rows: Mapping[str, int],
    deadline: Deadline,
) -> None:
    for index in indexes:
        if index.revision in pending and rows.get(index.table, 0) >= LARGE:
            _create_index(cursor, index, deadline)


def _create_index(cursor: Any, index: EarlyIndex, deadline: Deadline) -> None:
    from psycopg2 import sql

    cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s))", [index.name])
    found = cursor.fetchone()
    if found and found[0]:
        return
    name, table = sql.Identifier(index.name), sql.Identifier(index.table)
    with limited_lock_wait(cursor.connection, deadline.left):
        if found:
            # A concurrent build that was cut off leaves an invalid index, which no query uses.
            cursor.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(name))
        message, fields = "creating an index beforehand", {"index": index.name, "table": index.table}
        log.progress(message, database="mlflow", **fields)
        columns = sql.SQL(", ").join(map(sql.Identifier, index.columns))
        create = sql.SQL("CREATE INDEX CONCURRENTLY {} ON {} ({}){}")
        with log.still_at_work(message, database="mlflow", **fields):
            cursor.execute(create.format(name, table, columns, sql.SQL(index.suffix)))


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
    # ALTER TABLE would take its lock even to add nothing.
    if cursor.fetchone()[0] < len(added):
        with_short_locks(cursor, f"ALTER TABLE {table} {', '.join(added)}", deadline=deadline)


def with_short_locks(cursor: Any, statement: str, *, deadline: Deadline) -> None:
    """Try until no other transaction is in the way; waiting transactions continue between the attempts.

    Raises psycopg2's ``LockNotAvailable`` at the deadline.
    """
    from psycopg2.errors import LockNotAvailable

    while True:
        # The connection is in autocommit: here the limit of the wait ends with the statement.
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
