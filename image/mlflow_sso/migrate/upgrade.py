"""Alembic's revisions on one connection, in one transaction. Imports MLflow: seconds, so only if there is work.

The packages' own ``env.py`` is not run: it opens a connection of its own, commits apart from the tables that MLflow
creates first, and rewires the logging of the process. What it configures is configured here.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from mlflow.store.db.base_sql_model import Base
from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase
from mlflow_oidc_auth.db.models import SqlUser
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import StaticPool

from mlflow_sso import changes, log
from mlflow_sso.deadline import Deadline
from mlflow_sso.errors import RetryableError, TerminalError
from mlflow_sso.migrate.analytics import refill_assessments, refill_traces
from mlflow_sso.migrate.preparation import ANALYTICS_INDEXES, EARLY_INDEXES, Filled
from mlflow_sso.outcomes import TABLE as OUTCOMES
from mlflow_sso.patches.mlflow_3_17_2 import trace_analytics
from mlflow_sso.revision import SchemaState, schema_state
from mlflow_sso.schemas import Schema

LOCK_TRY_MILLISECONDS = 700
"""How long all tables are asked for at a time, and those who come meanwhile wait behind the upgrade."""
NOTHING_FILLED = Filled()
QUERY_CANCELED = "57014"
LONGEST_LOCK_WAIT = 60.0
"""Seconds that one statement waits for a table in use: whoever comes after it waits too, so it gives way in the end."""


class _Progress(logging.Handler):
    """Alembic's log lines ("Running upgrade … -> …") as ours."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self.database = database

    def emit(self, record: logging.LogRecord) -> None:
        log.progress(record.getMessage(), database=self.database)


def upgrade(
    connection: Any, schema: Schema, before: SchemaState, *, deadline: Deadline, filled: Filled = NOTHING_FILLED
) -> float:
    """Bring the database behind the psycopg2 ``connection`` from ``before`` to the head, and commit.

    Returns for how many seconds all tables were locked.

    ``deadline`` bounds the wait for tables that a running server is using, not the work itself.

    Raises psycopg2's errors, and ``TerminalError`` if the database is not one that MLflow made.
    """
    with upgraded(connection, schema, before, deadline=deadline, to=schema.head, filled=filled) as locked_at:
        pass
    return time.monotonic() - locked_at


@contextmanager
def upgraded(
    connection: Any,
    schema: Schema,
    before: SchemaState,
    *,
    deadline: Deadline,
    to: str,
    filled: Filled = NOTHING_FILLED,
) -> Iterator[float]:
    """The same up to the revision ``to``; what happens inside belongs to the transaction, which commits at the end.

    Yields the monotonic time at which it had all tables.
    """
    _require_ours(schema, before)
    _log_through(schema.name)
    connection.autocommit = False
    # Whatever SQLAlchemy and alembic open, StaticPool gives them this one connection, in its transaction.
    engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=lambda: connection, poolclass=StaticPool)
    try:
        with engine.connect() as alchemy, _locked(alchemy, schema, before, deadline):
            locked_at = time.monotonic()
            alchemy.exec_driver_sql(f"SET LOCAL lock_timeout = '{_lock_wait(deadline)}ms'")
            if schema.name == changes.SERVICE:
                changes.stop_counting(connection, schema)
            with log.still_at_work("upgrading, with all tables locked", database=schema.name):
                _run_revisions(alchemy, schema, before, to, filled)
            _verify(connection, schema, to)
            yield locked_at
    except DBAPIError as error:
        raise error.orig or error from None
    connection.autocommit = True


def _locked(
    alchemy: sqlalchemy.Connection, schema: Schema, before: SchemaState, deadline: Deadline
) -> sqlalchemy.Transaction:
    """A transaction that holds all tables; between its tries those go on who have waited behind it."""
    while True:
        transaction = alchemy.begin()
        try:
            if before.revision is not None:
                # lock_timeout would count anew for each table; this one counts for all of them together.
                alchemy.exec_driver_sql(f"SET LOCAL statement_timeout = {LOCK_TRY_MILLISECONDS}")
                names = ", ".join(alchemy.dialect.identifier_preparer.quote(name) for name in sorted(before.tables))
                alchemy.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
                alchemy.exec_driver_sql("SET LOCAL statement_timeout = 0")
        except OperationalError as error:
            transaction.rollback()
            if getattr(error.orig, "pgcode", None) != QUERY_CANCELED:
                raise
            _wait_for_tables(schema, deadline)
        else:
            return transaction


def _wait_for_tables(schema: Schema, deadline: Deadline) -> None:
    if deadline.passed:
        raise RetryableError(
            f"{schema.name}: other sessions have used its tables all the time",
            remedy="end long transactions and backups (pg_stat_activity shows them), or raise --timeout",
        )
    log.progress("waiting for tables in use", database=schema.name, seconds_left=round(deadline.left))
    deadline.pause()


def _lock_wait(deadline: Deadline) -> int:
    return int(1000 * max(1.0, min(deadline.left, LONGEST_LOCK_WAIT)))


def _require_ours(schema: Schema, before: SchemaState) -> None:
    """Without a revision, only MLflow's first tables may be there: its own start, killed, leaves some of them."""
    if before.revision is not None:
        return
    # A program that ran too early may have written down how it ended.
    known = {OUTCOMES, *(InitialBase.metadata.tables if schema.name == "mlflow" else ())}
    foreign = sorted(before.tables - known)
    if foreign:
        raise TerminalError(
            f"{schema.name} has no {schema.version_table} but tables of another application, such as {foreign[0]}",
            remedy="give MLflow a database of its own",
        )


def _run_revisions(
    transaction: sqlalchemy.Connection, schema: Schema, before: SchemaState, to: str, filled: Filled
) -> None:
    if before.revision is None and schema.name == "mlflow":
        log.progress("creating MLflow's first tables", database=schema.name)
        InitialBase.metadata.create_all(transaction)
    script = ScriptDirectory(str(schema.scripts))
    # The scripts of release 3.6.0 do not have it.
    if trace_analytics.REVISION in schema.parents:
        trace_analytics.apply(script.get_revision(trace_analytics.REVISION), **_refills(filled))
    for revision in {index.revision for index in (*EARLY_INDEXES, *ANALYTICS_INDEXES)} & schema.parents.keys():
        module = script.get_revision(revision).module
        module.op = _CreateMissing(module.op)

    def revisions(revision: Any, _: MigrationContext) -> Any:
        return script._upgrade_revs(to, revision)

    with EnvironmentContext(Config(), script, fn=revisions) as environment:
        environment.configure(
            connection=transaction,
            target_metadata=_metadata(schema),
            # As MLflow's own env.py has it.
            render_as_batch=True,
            version_table=schema.version_table,
        )
        environment.run_migrations()


def _refills(filled: Filled) -> dict[str, Callable[..., None]]:
    found: dict[str, Callable[..., None]] = {}
    if (traces_since := filled.traces_since) is not None:
        found["refill_traces"] = lambda cursor: _say("trace_info", refill_traces(cursor, traces_since))
    if (since := filled.assessments_since) is not None:
        found["refill_assessments"] = lambda cursor, aggregate: _say(
            "assessments", refill_assessments(cursor, since, filled.assessments_by, aggregate)
        )
    return found


def _say(table: str, rows: int) -> None:
    log.progress("filled again what was written meanwhile", database="mlflow", table=table, rows=rows)


class _CreateMissing:
    """Alembic's operations, which create no index that was created beforehand."""

    def __init__(self, operations: Any) -> None:
        self._operations = operations

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operations, name)

    def create_index(self, *arguments: Any, **named: Any) -> None:
        self._operations.create_index(*arguments, **named, if_not_exists=True)


def _metadata(schema: Schema) -> Any:
    return Base.metadata if schema.name == "mlflow" else SqlUser.metadata


def _log_through(database: str) -> None:
    alembic_log = logging.getLogger("alembic.runtime.migration")
    alembic_log.handlers, alembic_log.propagate = [_Progress(database)], False
    alembic_log.setLevel(logging.INFO)


def _verify(connection: Any, schema: Schema, to: str) -> None:
    after = schema_state(connection, schema)
    if after.revision != to:
        raise TerminalError(
            f"{schema.name} is at {after.revision} after the migration, not at {to}; nothing was changed",
            remedy="install the packages from the lock of a release",
        )
