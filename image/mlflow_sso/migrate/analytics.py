"""Fills the columns that revision 75868b020152 adds, online, and knows afterwards which rows have changed meanwhile.

Every row version of PostgreSQL bears the transaction that wrote it. Under the lock of the upgrade it is therefore
enough to look at the rows that were written since the filling began, instead of at all of them once more.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from mlflow_sso import log
from mlflow_sso.patches.mlflow_3_17_2 import trace_analytics
from mlflow_sso.schemas import Schema

Aggregate = Callable[[str], tuple[float | None, bool]]

BATCH = 2000
"""Traces or assessments in one transaction."""

_OLDEST_RUNNING = "SELECT txid_snapshot_xmin(txid_current_snapshot()) % 4294967296"
"""No transaction that is still to commit has a lower number; ``xmin`` of a row has its last 32 bits."""

_WITHOUT_SOURCE = (
    "SELECT request_id FROM trace_info AS it WHERE num_nonnulls({columns}) > 0"
    " AND NOT EXISTS (SELECT FROM {source} AS s WHERE s.request_id = it.request_id AND s.key = '{key}')"
)
_STALE_TRACES = " UNION ".join(
    (
        "SELECT request_id FROM trace_tags WHERE key = %(name)s AND age(xmin) <= age(%(since)s::text::xid)",
        "SELECT request_id FROM trace_request_metadata"
        " WHERE key = ANY (%(keys)s) AND age(xmin) <= age(%(since)s::text::xid)",
        *(_WITHOUT_SOURCE.format(**source) for source in trace_analytics.SOURCES),
    )
)
_STALE_ASSESSMENTS = """
SELECT assessment_id FROM assessments AS it JOIN trace_info ON request_id = trace_id
WHERE it.experiment_id IS DISTINCT FROM trace_info.experiment_id
OR it.trace_timestamp_ms IS DISTINCT FROM trace_info.timestamp_ms OR it.is_numeric_value IS NULL
OR (age(it.xmin) <= age(%(since)s::text::xid) AND it.xmin::text NOT IN (SELECT unnest(%(ours)s::text[])))
"""
_READ_ASSESSMENTS = (
    "SELECT assessment_id, value, trace_info.experiment_id, timestamp_ms, assessments.xmin::text FROM assessments"
    " JOIN trace_info ON request_id = trace_id WHERE assessment_id = ANY (%s)"
)


def fill_traces(cursor: Any, report: Callable[[int], None]) -> int:
    """Fill all; returns since when others may have changed them."""
    since = _oldest_running(cursor)
    for names in _pages(cursor, "trace_info", "request_id"):
        _write_traces(cursor, names)
        report(len(names))
    return since


def fill_assessments(cursor: Any, report: Callable[[int], None], aggregate: Aggregate) -> tuple[int, tuple[str, ...]]:
    """Fill all; returns since when others may have changed them, and by which transactions they were filled."""
    since, ours = _oldest_running(cursor), list[str]()
    for names in _pages(cursor, "assessments", "assessment_id"):
        if transaction := _write_assessments(cursor, names, aggregate):
            ours.append(transaction)
        report(len(names))
    return since, tuple(ours)


def refill_traces(cursor: Any, since: int) -> int:
    """Fill those whose name or metadata were written or deleted since; returns how many."""
    parameters = {"since": since, "name": trace_analytics.NAME_TAG, "keys": list(trace_analytics.METADATA_KEYS)}
    cursor.execute(_STALE_TRACES, parameters)
    return _in_batches(cursor, lambda names: _write_traces(cursor, names))


def refill_assessments(cursor: Any, since: int, ours: tuple[str, ...], aggregate: Aggregate) -> int:
    """Fill those that were written by others since, or whose trace was; returns how many."""
    cursor.execute(_STALE_ASSESSMENTS, {"since": since, "ours": list(ours)})
    return _in_batches(cursor, lambda names: _write_assessments(cursor, names, aggregate))


def _in_batches(cursor: Any, write: Callable[[list[str]], Any]) -> int:
    names = [name for (name,) in cursor.fetchall()]
    for start in range(0, len(names), BATCH):
        write(names[start : start + BATCH])
    return len(names)


def _oldest_running(cursor: Any) -> int:
    cursor.execute(_OLDEST_RUNNING)
    return int(cursor.fetchone()[0])


def _write_traces(cursor: Any, names: list[str]) -> None:
    values = trace_analytics.trace_values(_read_traces(cursor, names))
    trace_analytics.write(cursor, "trace_info", "request_id", values)


def _read_traces(cursor: Any, names: list[str]) -> dict[str, tuple[str | None, dict[str, str]]]:
    """By trace, its name and what its metadata hold."""
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


def _write_assessments(cursor: Any, names: list[str], aggregate: Aggregate) -> str | None:
    """Leave alone what another transaction writes meanwhile; returns the transaction."""
    cursor.execute(_READ_ASSESSMENTS, [names])
    rows = cursor.fetchall()
    values = trace_analytics.assessment_values([row[:4] for row in rows], aggregate)
    return trace_analytics.write(
        cursor, "assessments", "assessment_id", values, versions={row[0]: row[4] for row in rows}
    )


def aggregate_of(schema: Schema) -> Aggregate:
    """The revision's own function for the value of an assessment."""
    # Importing Alembic and the revision takes a second, which only an upgrade spends.
    from alembic.script import ScriptDirectory

    module = ScriptDirectory(str(schema.scripts)).get_revision(trace_analytics.REVISION).module
    aggregate: Aggregate = module._assessment_aggregate
    return aggregate


class Report:
    """Says once in ten seconds how far it is."""

    def __init__(self, database: str, table: str, rows: int) -> None:
        self._database, self._table, self._rows = database, table, rows
        self._done, self._said = 0, time.monotonic()

    def __call__(self, rows: int) -> None:
        self._done += rows
        if time.monotonic() - self._said >= log.REPEAT_SECONDS:
            self._said = time.monotonic()
            log.progress("preparing", database=self._database, table=self._table, rows=self._done, of=self._rows)


def _pages(cursor: Any, table: str, key: str) -> Iterator[list[str]]:
    last = ""
    while True:
        cursor.execute(f"SELECT {key} FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT {BATCH}", [last])  # noqa: S608
        names = [name for (name,) in cursor.fetchall()]
        if not names:
            return
        yield names
        last = names[-1]
