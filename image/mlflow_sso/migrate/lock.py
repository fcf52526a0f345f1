"""The lock by which migrations and restores of one database take turns, also through a pooler in transaction mode.

It belongs to a transaction of a connection of its own. A session's lock would outlive the program in the session of a
pooler, and block every migration to come until the pooler closes that session.
"""

from typing import Any

from mlflow_sso import log
from mlflow_sso.database import connect, lift_time_limits
from mlflow_sso.deadline import Deadline
from mlflow_sso.errors import RetryableError
from mlflow_sso.schemas import Schema

LOCK_KEY = int.from_bytes(b"mlflow")
"""Key of the advisory lock; PostgreSQL keeps the keys of one database apart from those of another."""

PROGRAM = "migrate"

# What is read of the activity is kept until the end of the transaction, unless it is cleared.
_AT_WORK = """
SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) AS anew, pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = ANY(%s)
AND state <> 'idle' AND pid <> pg_backend_pid()
"""


class MigrationLock:
    """Taken by :meth:`acquire` and kept until :meth:`close`."""

    def __init__(self, schema: Schema, deadline: Deadline) -> None:
        self._schema, self._deadline = schema, deadline
        self._connection: Any = None

    def acquire(self) -> None:
        """Wait for it, once; raises ``RetryableError`` at the deadline, and psycopg2's errors."""
        if self._connection is not None:
            return
        self._connection = connect(self._schema, deadline=self._deadline, program=PROGRAM, writable=True)
        self._connection.autocommit = False
        while not self._try():
            self._connection.rollback()
            self._wait()
        # A killed program has lost the lock at once, but PostgreSQL still ends the statement that it sent.
        while self._is_another_at_work():
            self._wait()

    def close(self) -> None:
        """Release it."""
        if self._connection is not None:
            self._connection.close()

    def _try(self) -> bool:
        with self._connection.cursor() as cursor:
            # Each would end the transaction, and with it the lock, while the other connection is at work.
            lift_time_limits(self._connection)
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_KEY])
            return bool(cursor.fetchone()[0])

    def _is_another_at_work(self) -> bool:
        with self._connection.cursor() as cursor:
            cursor.execute(_AT_WORK, [[f"mlflow-sso {program}" for program in (PROGRAM, "restore")]])
            return bool(cursor.fetchone()[0])

    def _wait(self) -> None:
        name = self._schema.name
        if self._deadline.passed:
            raise RetryableError(
                f"{name}: another migration still holds the lock",
                remedy="let it, or a restore, finish; pg_locks shows its session (locktype advisory)",
            )
        log.progress("waiting for another migration", database=name, seconds_left=round(self._deadline.left))
        self._deadline.pause()
