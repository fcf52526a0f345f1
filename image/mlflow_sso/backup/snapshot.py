"""Both databases as they were at one moment, although PostgreSQL shares no snapshot between two."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from mlflow_sso import log
from mlflow_sso.database import connect, errors_explained, lift_time_limits
from mlflow_sso.deadline import Deadline
from mlflow_sso.errors import RetryableError
from mlflow_sso.schemas import Schema

LOCK_TIMEOUT = "500ms"
"""How long a login may wait behind us; then we give way and try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Two connections in read-only transactions that see the same moment."""

    connections: tuple[Any, Any]
    created: float
    """Seconds since 1970."""


@contextmanager
def consistent_snapshot(schemas: Sequence[Schema], *, deadline: Deadline, program: str) -> Iterator[Snapshot]:
    """Open it for the tracking and the permissions database; raises ``ProgramError``.

    While every table of the permissions database is locked against writers, for milliseconds, both transactions take
    their snapshot: the second database cannot change between the two.
    """
    tracking, permissions = schemas
    with (
        closing(connect(tracking, deadline=deadline, program=program)) as first,
        closing(connect(permissions, deadline=deadline, program=program)) as second,
        closing(connect(permissions, deadline=deadline, program=program, writable=True)) as lock,
    ):
        for connection in (first, second):
            # As pg_dump has it: text in UTF-8, and every digit of a number, whatever the role's own settings are.
            connection.set_client_encoding("UTF8")
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        with errors_explained(permissions, doing="cannot read"):
            _lock_against_writers(lock, permissions, deadline)
            created = time.time()
            for connection in (first, second):
                _take_snapshot(connection)
            lock.rollback()
        yield Snapshot(connections=(first, second), created=created)


def _take_snapshot(connection: Any) -> None:
    # The first statement of the transaction that reads takes the snapshot.
    lift_time_limits(connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('extra_float_digits', '3', true)")


def _lock_against_writers(connection: Any, schema: Schema, deadline: Deadline) -> None:
    # So that --help and usage errors need no database driver.
    from psycopg2 import errors, sql

    connection.autocommit = False
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                cursor.execute(
                    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
                    " AND relnamespace = to_regnamespace(quote_ident(current_schema())) ORDER BY relname"
                )
                names = [sql.Identifier(name) for (name,) in cursor.fetchall()]
                if names:
                    cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.SQL(", ").join(names)))
            return
        except errors.LockNotAvailable:
            connection.rollback()
            if deadline.passed:
                raise RetryableError(
                    f"{schema.name}: a transaction holds its tables all the time",
                    remedy="look at pg_stat_activity for one that does not end, or raise --timeout",
                ) from None
            log.progress("waiting for writers", database=schema.name, seconds_left=round(deadline.left))
            deadline.pause()
