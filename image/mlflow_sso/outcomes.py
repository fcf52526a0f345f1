"""How the latest run of a program ended, in a table of the database that it works on; the server's metrics show it.

A run that could not reach PostgreSQL leaves none, so whoever watches also looks at the age of the latest success.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mlflow_sso import log

TABLE = "mlflow_sso_outcomes"

_CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} "
    "(program varchar PRIMARY KEY, ended timestamptz NOT NULL, succeeded timestamptz, counts jsonb NOT NULL)"
)
_IS_EMPTY = "SELECT NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema())"
_WRITE = f"""
INSERT INTO {TABLE} AS known (program, ended, succeeded, counts)
VALUES (%(program)s, now(), CASE WHEN %(succeeded)s THEN now() END, %(counts)s)
ON CONFLICT (program) DO UPDATE SET ended = excluded.ended, counts = excluded.counts,
succeeded = coalesce(excluded.succeeded, known.succeeded)
"""  # noqa: S608 - constants of ours
_IS_READABLE = (
    "SELECT has_table_privilege(to_regclass(quote_ident(current_schema()) || '.' || quote_ident(%s)), 'SELECT')"
)
_READ = f"""
SELECT program, extract(epoch FROM ended)::float, extract(epoch FROM succeeded)::float, counts
FROM {TABLE} ORDER BY program
"""  # noqa: S608


@dataclass
class Outcome:
    """What a run tells of itself: a program adds to it until it ends."""

    counts: dict[str, int] = field(default_factory=dict)
    """How much was done, by what."""
    succeeded: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """The latest run of a program; times are in seconds since 1970, None if it has never succeeded."""

    program: str
    ended: float
    succeeded: float | None
    counts: dict[str, int]


@contextmanager
def recorded(connection: Any, program: str, *, dry_run: bool) -> Iterator[Outcome]:
    """Write down at the end of the block how it ended, which no error of it prevents; a dry run leaves nothing."""
    outcome = Outcome()
    try:
        yield outcome
    except BaseException:
        outcome.succeeded = False
        raise
    finally:
        if not dry_run:
            _write(connection, program, outcome)


def _write(connection: Any, program: str, outcome: Outcome) -> None:
    # So that --help and usage errors need no database driver.
    import psycopg2

    values = {"program": program, "succeeded": outcome.succeeded, "counts": json.dumps(outcome.counts)}
    try:
        connection.rollback()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(_IS_EMPTY)
            # Before its first migration or restore, which take only databases that are empty.
            if cursor.fetchone()[0]:
                return
            cursor.execute(_CREATE)
            cursor.execute(_WRITE, values)
    except psycopg2.Error as error:
        reason = (str(error).splitlines() or ["the connection was lost"])[0]
        log.progress("cannot record how the run ended", level="warning", program=program, reason=reason)


def read_outcomes(cursor: Any) -> list[Known]:
    """The latest run of each program that has worked on this database; raises psycopg2's errors."""
    cursor.execute(_IS_READABLE, [TABLE])
    if not cursor.fetchone()[0]:
        return []
    cursor.execute(_READ)
    return [Known(*row) for row in cursor.fetchall()]
