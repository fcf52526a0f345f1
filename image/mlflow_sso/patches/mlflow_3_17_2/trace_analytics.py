"""Lets revision 75868b020152, which moves the analytics of traces, take a time that grows with the traces only.

As it comes it pages through spans by ``a > x OR (a = x AND b > y)``, which PostgreSQL answers by reading from the first
row each time: twice the spans take four times as long, with ``spans``, ``trace_info`` and ``assessments`` locked all
along. The row comparison ``(a, b) > (x, y)`` means the same and starts in the index at the right place. It also reads
and deletes 250 rows a statement, and updates one.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList

REVISION = "75868b020152"
NAME_TAG = "mlflow.traceName"
METADATA_KEYS = ("mlflow.trace.session", "mlflow.trace.tokenUsage", "mlflow.trace.cost")

BATCH_SIZE = 2000
"""Rows in one statement. PostgreSQL's stack ends at about 10,000."""

SOURCES: tuple[Mapping[str, str], ...] = (
    {"columns": "trace_name", "source": "trace_tags", "key": NAME_TAG},
    {"columns": "session_id", "source": "trace_request_metadata", "key": "mlflow.trace.session"},
    {
        "columns": "input_tokens, output_tokens, total_tokens, cache_read_input_tokens, cache_creation_input_tokens,"
        " cache_creation_input_tokens_above_1hr",
        "source": "trace_request_metadata",
        "key": "mlflow.trace.tokenUsage",
    },
    {
        "columns": "input_cost, output_cost, total_cost",
        "source": "trace_request_metadata",
        "key": "mlflow.trace.cost",
    },
)
"""Columns of ``trace_info``, and the row that they are taken from; release 3.6.0 keeps no metrics of traces."""

HAS_NO_METRICS = "SELECT NOT EXISTS (SELECT FROM trace_metrics)"

NO_SPAN_VALUES = """
SELECT NOT EXISTS (SELECT 1 FROM spans WHERE dimension_attributes IS NOT NULL OR model_name IS NOT NULL
OR model_provider IS NOT NULL OR input_cost IS NOT NULL OR output_cost IS NOT NULL OR total_cost IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM span_metrics WHERE key IN ('input_cost', 'output_cost', 'total_cost'))
"""
"""Whether no span has a value to move, as after release 3.6.0, which stores none."""

Values = Mapping[str, Mapping[str, Any]]
"""Columns and their values, by the key of the row."""


def apply(
    revision: Any,
    *,
    refill_traces: Callable[[Any], object] | None = None,
    refill_assessments: Callable[[Any, Any], object] | None = None,
) -> None:
    """Change the loaded module of the revision, an alembic ``Script``.

    ``refill_traces`` and ``refill_assessments`` write, on psycopg2's cursor, what is not yet as the revision has it,
    instead of its looking at every row; the latter is also given the revision's function for a value.
    """
    module = revision.module
    if refill_traces:
        module._backfill_trace_analytics = _unless_metrics(module, module._backfill_trace_analytics, refill_traces)
    if refill_assessments:
        module._backfill_assessment_analytics = lambda: refill_assessments(
            _cursor(module.op), module._assessment_aggregate
        )
    module._BATCH_SIZE = BATCH_SIZE
    module._delete_trace_rows = _delete_trace_rows(module)
    module._delete_span_metric_rows = _delete_span_metric_rows(module)
    module._backfill_span_analytics = _unless_no_values(module, module._backfill_span_analytics)
    module._execute_backfill_updates = _update_together
    # The module calls ``sa.or_``: only a stand-in for its whole ``sa`` can change what that returns.
    module.sa = _RowComparisons()


def trace_values(traces: Mapping[str, tuple[str | None, Mapping[str, str]]]) -> Values:
    """What the revision writes to traces with these names and metadata, of release 3.6.0, which keeps no metrics."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.store.db.trace_analytics_backfill_75868b020152 import trace_analytics_values
    from mlflow.store.db.trace_analytics_schema_75868b020152 import TRACE_NAME_MAX_LENGTH

    return {
        trace: {
            "trace_name": name[:TRACE_NAME_MAX_LENGTH] if name is not None else None,
            **trace_analytics_values(dict(metadata), {}),
        }
        for trace, (name, metadata) in traces.items()
    }


def write(
    cursor: Any, table: str, key: str, values: Values, *, versions: Mapping[str, str] | None = None
) -> str | None:
    """Update with one statement the rows of which a value differs, on psycopg2's cursor.

    ``versions`` are the ``xmin`` of the rows that were read; a row of another version is left as it is. Returns the
    transaction as its rows bear it, None if there are no ``values``.
    """
    # So that --help and usage errors need no database driver.
    from psycopg2.extras import execute_values

    if not values:
        return None
    columns = list(next(iter(values.values())))
    typed = ", ".join(f"v.{column}::{TYPES[column]}" for column in columns)
    version = "" if versions is None else " AND t.xmin::text = v.version"
    ((transaction,),) = execute_values(
        cursor,
        f"WITH written AS (UPDATE {table} AS t SET ({', '.join(columns)}) = ROW ({typed}) FROM (VALUES %s)"  # noqa: S608
        f" AS v ({key}, version, {', '.join(columns)}) WHERE t.{key} = v.{key}{version}"
        f" AND ROW ({', '.join(f't.{column}' for column in columns)}) IS DISTINCT FROM ROW ({typed}))"
        " SELECT (txid_current() %% 4294967296)::text",
        [(name, versions and versions[name], *row.values()) for name, row in values.items()],
        page_size=len(values),
        fetch=True,
    )
    return str(transaction)


TYPES = {
    "trace_name": "varchar",
    "session_id": "varchar",
    **dict.fromkeys(("input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens"), "bigint"),
    **dict.fromkeys(("cache_creation_input_tokens", "cache_creation_input_tokens_above_1hr"), "bigint"),
    **dict.fromkeys(("input_cost", "output_cost", "total_cost", "aggregate_value"), "double precision"),
    "experiment_id": "integer",
    "trace_timestamp_ms": "bigint",
    "is_numeric_value": "boolean",
}
"""Of the columns, as PostgreSQL spells them."""


def assessment_values(rows: Iterable[tuple[str, str, int, int]], aggregate: Callable[[str], Any]) -> Values:
    """What the revision writes to assessments: ``rows`` have id, value, experiment and time of the trace."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, value, experiment, milliseconds in rows:
        aggregated, is_numeric = aggregate(value)
        found[name] = {
            "experiment_id": experiment,
            "trace_timestamp_ms": milliseconds,
            "aggregate_value": aggregated,
            "is_numeric_value": is_numeric,
        }
    return found


class _RowComparisons:
    """SQLAlchemy, but for the conditions by which the revision asks for the next page."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlalchemy, name)

    def or_(self, *clauses: Any) -> Any:
        """The row comparison if ``clauses`` are ``a > x`` and ``a = x AND b > y``, else what SQLAlchemy makes of it."""
        match clauses:
            case (BinaryExpression() as beyond, BooleanClauseList(clauses=[same, BinaryExpression() as then])) if (
                beyond.operator is then.operator is operator.gt
                and clauses[1].operator is operator.and_
                and same.operator is operator.eq
                and same.left is beyond.left
                and same.right.value == beyond.right.value
            ):
                return sqlalchemy.tuple_(beyond.left, then.left) > sqlalchemy.tuple_(beyond.right, then.right)
        return sqlalchemy.or_(*clauses)


def _unless_no_values(module: Any, backfill: Callable[[], None]) -> Callable[[], None]:
    def unless() -> None:
        if not module.op.get_bind().exec_driver_sql(NO_SPAN_VALUES).scalar():
            backfill()

    return unless


def _unless_metrics(module: Any, backfill: Callable[[], None], refill: Callable[[Any], object]) -> Callable[[], None]:
    """The revision's own from releases in between, which keep metrics of traces that count more than metadata."""

    def unless() -> None:
        if module.op.get_bind().exec_driver_sql(HAS_NO_METRICS).scalar():
            refill(_cursor(module.op))
        else:
            backfill()

    return unless


def _cursor(operations: Any) -> Any:
    return operations.get_bind().connection.cursor()


def _update_together(bind: Any, statement: Any, updates: list[dict[str, Any]], entity: str) -> None:
    """In place of the revision's own, which sends a statement a row; raises ``RuntimeError`` as that does."""
    table = statement.table
    keys = {one.right.key: one.left for one in statement._where_criteria}
    columns = {table.c[getattr(name, "key", name)]: bound.key for name, bound in statement._values.items()}
    names = [*keys, *columns.values()]
    typed = {**{name: column.type for name, column in keys.items()}, **{n: c.type for c, n in columns.items()}}
    rows = sqlalchemy.values(*(sqlalchemy.column(name, typed[name]) for name in names), name="updates")
    rows = rows.data([tuple(update[name] for name in names) for update in updates])
    together = (
        table.update()
        .values({column: sqlalchemy.cast(rows.c[name], column.type) for column, name in columns.items()})
        .where(*(column == rows.c[name] for name, column in keys.items()))
    )
    count = bind.execute(together).rowcount
    if count != len(updates):
        raise RuntimeError(f"Trace analytics {entity} backfill updated {count} of {len(updates)} rows")


def _delete_trace_rows(module: Any) -> Any:
    def delete(table: Any, keys: list[str]) -> None:
        module.op.get_bind().execute(table.delete().where(table.c.key.in_(keys)))

    return delete


def _delete_span_metric_rows(module: Any) -> Any:
    def delete(span_metrics: Any) -> None:
        keys = list(module._COST_COLUMNS)
        module.op.get_bind().execute(span_metrics.delete().where(span_metrics.c.key.in_(keys)))

    return delete
