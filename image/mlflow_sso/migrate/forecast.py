"""How long an upgrade will take, what it locks and what space it needs: said before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlflow_sso import log
from mlflow_sso.errors import TerminalError
from mlflow_sso.migrate.preparation import ANALYTICS_INDEXES, EARLY_INDEXES, LARGE, TRACE_ANALYTICS, estimated_rows
from mlflow_sso.schemas import Schema

MAXIMUM_LOCK_SECONDS = 600
BASE_SECONDS = 1.0
"""Of all revisions between 3.6.0 and 3.17.2 without data."""
LOCKED: Mapping[str, float] = {"trace_info": 50e-6, "assessments": 60e-6, "spans": 5e-6}
"""Seconds a row under the lock, of revision 75868b020152; two cores, PostgreSQL beside the program."""
LOCKED_PREPARED: Mapping[str, float] = {"trace_info": 2e-6, "assessments": 1e-6, "spans": 0.5e-6}
"""The same for tables that were prepared: they are looked through, and only what was written meanwhile is filled."""
LOCKED_IN_GENERAL = 0.5e-6
"""Seconds a row of every table, for keys and columns that are checked."""
BEFOREHAND: Mapping[str, float] = {"trace_info": 40e-6, "assessments": 40e-6}
INDEX_SECONDS, INDEX_BYTES = 1.5e-6, 80
"""Of a row of an index that is created beforehand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What comes of an upgrade: seconds are estimates, on a machine that has nothing else to do."""

    rows: int
    bytes: int
    """That the tables and their indexes take now."""
    revisions: int
    seconds_beforehand: float
    """While the old server continues to run."""
    lock_seconds: float
    """During which no table can be read or written."""
    space_bytes: int
    """Needed more while it runs, the write-ahead log not counted; a part of it is kept."""


def forecast(connection: Any, schema: Schema, pending: frozenset[str]) -> Forecast:
    """Of the revisions ``pending``; raises psycopg2's errors."""
    with connection.cursor() as cursor:
        rows = estimated_rows(cursor)
        sizes = _sizes(cursor)
    early = [index.table for index in (*EARLY_INDEXES, *ANALYTICS_INDEXES) if index.revision in pending]
    indexed = sum(rows.get(table, 0) for table in early)
    beforehand = indexed * INDEX_SECONDS
    locked, rewritten = BASE_SECONDS + sum(rows.values()) * LOCKED_IN_GENERAL, 0
    if schema.name == "mlflow" and TRACE_ANALYTICS in pending:
        prepared = {table: count for table, count in rows.items() if table in BEFOREHAND and count >= LARGE}
        beforehand += sum(count * BEFOREHAND[table] for table, count in prepared.items())
        locked += sum(count * _locked(table, count) for table, count in rows.items() if table in LOCKED)
        rewritten = sum(sizes.get(table, 0) for table in BEFOREHAND)
    return Forecast(
        rows=sum(rows.values()),
        bytes=sum(sizes.values()),
        revisions=len(pending),
        seconds_beforehand=round(beforehand, 1),
        lock_seconds=round(locked, 1),
        space_bytes=indexed * INDEX_BYTES + rewritten,
    )


def _locked(table: str, rows: int) -> float:
    return (LOCKED_PREPARED if rows >= LARGE else LOCKED)[table]


def _sizes(cursor: Any) -> dict[str, int]:
    cursor.execute(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = to_regnamespace(quote_ident(current_schema()))"
    )
    return dict(cursor.fetchall())


def announce(found: Forecast, schema: Schema, *, maximum_lock_seconds: int) -> None:
    """Say it; raises ``TerminalError`` if all tables would be locked for longer than ``maximum_lock_seconds``."""
    fields = {name: getattr(found, name) for name in Forecast.__slots__}
    log.progress("upgrading", database=schema.name, locks="ACCESS EXCLUSIVE on all tables", **fields)
    if found.lock_seconds > maximum_lock_seconds:
        raise TerminalError(
            f"{schema.name}: the upgrade of {found.rows:,} rows would lock all tables for about"
            f" {found.lock_seconds:,.0f} s, longer than --maximum-lock-seconds {maximum_lock_seconds}",
            remedy="dump the databases, announce that time, set migration.maximum_lock_seconds above it and"
            " apply again; nothing was changed",
        )
