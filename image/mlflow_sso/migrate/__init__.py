"""``migrate``: brings both databases to the schema of this image, or leaves each exactly as it was.

A database is one transaction: the tables of an empty one, every alembic revision and the verification are committed
together, so that a process that is killed leaves nothing half done. What a large database takes long for is prepared
before that (``preparation.py``), and indexes of ours are created after it, each by itself and without blocking anyone.
An advisory lock keeps two migrations apart
(``lock.py``).
"""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from mlflow_sso import changes, log
from mlflow_sso.database import connect, errors_explained
from mlflow_sso.deadline import Deadline, add_timeout_argument
from mlflow_sso.errors import TerminalError
from mlflow_sso.imports import only_schemas
from mlflow_sso.indexes import create_missing, index_state
from mlflow_sso.migrate.forecast import MAXIMUM_LOCK_SECONDS, announce, forecast
from mlflow_sso.migrate.lock import PROGRAM, MigrationLock
from mlflow_sso.migrate.ownership import public_connect, require_ownership, revoke_public_connect
from mlflow_sso.migrate.preparation import Filled, prepare
from mlflow_sso.migrate.user_names import fold_names
from mlflow_sso.revision import SchemaState, schema_state
from mlflow_sso.schemas import Schema, schemas
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.whole_numbers import within


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found in one database and what was done: the result line."""

    database: str
    found: str | None
    head: str
    action: str
    """``none``, ``initialised`` or ``upgraded``."""
    indexes: list[str]
    """Of ours, created now."""
    counted: list[str]
    """Tables whose changes are counted from now on."""
    public_connect: str
    """``revoked``, ``revoked now``, or ``granted`` if the role is not the database's owner."""
    sql_seconds: float
    lock_seconds: float
    """Of them, with all tables locked."""
    import_seconds: float


class Clock:
    """Seconds spent in SQL and in imports, apart from those spent waiting."""

    def __init__(self) -> None:
        self.seconds = {"sql": 0.0, "lock": 0.0, "import": 0.0}

    @contextmanager
    def measuring(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[what] += time.monotonic() - started


def add_arguments(parser: ArgumentParser) -> None:
    add_timeout_argument(parser, default=300, what="PostgreSQL, and for another migration to end")
    parser.add_argument(
        "--maximum-lock-seconds",
        type=within(0, 604_800),
        default=MAXIMUM_LOCK_SECONDS,
        metavar="SECONDS",
        help="refuse an upgrade that would lock all tables for longer, by estimate (default: %(default)d)",
    )


def run(arguments: Namespace) -> int:
    """Migrate one database after the other and print a line for each; raises ``ProgramError``."""
    deadline = Deadline(arguments.timeout)
    tracking, permissions = schemas(SecretsRoot(arguments.secrets_root))
    most = arguments.maximum_lock_seconds
    for schema, other in ((tracking, permissions), (permissions, None)):
        log.result(**asdict(migrate(schema, deadline=deadline, maximum_lock_seconds=most, other=other)))
    return 0


def migrate(
    schema: Schema,
    *,
    deadline: Deadline,
    maximum_lock_seconds: int = MAXIMUM_LOCK_SECONDS,
    other: Schema | None = None,
) -> Outcome:
    """Bring one database to the head of this image; raises ``ProgramError``, and then its schema is the old one.

    An empty one is refused if ``other`` is not: a restore has loaded that, and not this one.
    """
    clock = Clock()
    with clock.measuring("import"):
        import psycopg2  # noqa: F401 - the time it takes is told apart from that of SQL
    connection, lock = (
        connect(schema, deadline=deadline, program=PROGRAM, writable=True),
        MigrationLock(schema, deadline),
    )
    with closing(connection), closing(lock), errors_explained(schema, doing="cannot migrate"):
        before, action, public = _settle(connection, lock, schema, other, deadline, clock, maximum_lock_seconds)
        indexes = _create_indexes(connection, lock, schema, deadline, clock)
        counted = _count_changes(connection, lock, schema, deadline, clock)
        if schema.name == changes.SERVICE:
            with clock.measuring("sql"):
                fold_names(connection, schema)
    return Outcome(
        database=schema.name,
        found=before.revision,
        head=schema.head,
        action=action,
        indexes=indexes,
        counted=counted,
        public_connect=public,
        sql_seconds=round(clock.seconds["sql"], 3),
        lock_seconds=round(clock.seconds["lock"], 3),
        import_seconds=round(clock.seconds["import"], 3),
    )


def _settle(
    connection: Any,
    lock: MigrationLock,
    schema: Schema,
    other: Schema | None,
    deadline: Deadline,
    clock: Clock,
    maximum_lock_seconds: int,
) -> tuple[SchemaState, str, str]:
    with clock.measuring("sql"):
        before = schema_state(connection, schema)
        owned, public = public_connect(connection)
    if before.is_at_head(schema) and not (owned and public):
        return before, "none", "granted" if public else "revoked"
    if not before.is_at_head(schema):
        with clock.measuring("import"), only_schemas():
            import mlflow_sso.migrate.upgrade  # noqa: F401
    lock.acquire()
    if other is not None and schema_state(connection, schema).revision is None:
        _require_no_half_restore(schema, other, deadline)
    with clock.measuring("sql"):
        return _settle_locked(connection, schema, deadline, clock, maximum_lock_seconds)


def _require_no_half_restore(schema: Schema, other: Schema, deadline: Deadline) -> None:
    """Raise ``TerminalError`` if ``other`` was restored: its grants would be of other things than those to come."""
    with (
        closing(connect(other, deadline=deadline, program=PROGRAM)) as connection,
        errors_explained(other, doing="cannot read"),
    ):
        state = schema_state(connection, other)
    # Each migration leaves this table, and no restore does.
    if state.revision is not None and changes.TABLE not in state.tables:
        raise TerminalError(
            f"{schema.name} is empty, and {other.name} holds what a restore has loaded",
            remedy="run `mlflow-sso restore` of the same dump again; to begin anew, create both databases anew",
        )


def _settle_locked(
    connection: Any, schema: Schema, deadline: Deadline, clock: Clock, maximum_lock_seconds: int
) -> tuple[SchemaState, str, str]:
    # Read again under the lock: the migration that was waited for may have done it all.
    before, action = schema_state(connection, schema), "none"
    if not before.is_at_head(schema):
        from mlflow_sso.migrate.upgrade import upgrade

        require_ownership(connection, schema)
        filled = Filled()
        if before.revision:
            pending = schema.after(before.revision)
            announce(forecast(connection, schema, pending), schema, maximum_lock_seconds=maximum_lock_seconds)
            filled = prepare(connection, schema, pending, deadline=deadline)
        clock.seconds["lock"] = upgrade(connection, schema, before, deadline=deadline, filled=filled)
        action = "upgraded" if before.revision else "initialised"
    owned, public = public_connect(connection)
    if owned and public:
        revoke_public_connect(connection)
    return before, action, "revoked now" if owned and public else "granted" if public else "revoked"


def _create_indexes(
    connection: Any, lock: MigrationLock, schema: Schema, deadline: Deadline, clock: Clock
) -> list[str]:
    with clock.measuring("sql"):
        state = index_state(connection, schema)
    if not (state.missing or state.of_others):
        return []
    lock.acquire()
    with clock.measuring("sql"):
        return create_missing(connection, schema, deadline=deadline)


def _count_changes(connection: Any, lock: MigrationLock, schema: Schema, deadline: Deadline, clock: Clock) -> list[str]:
    if schema.name != changes.SERVICE:
        return []
    with clock.measuring("sql"):
        if changes.read_state(connection, schema).is_complete:
            return []
    lock.acquire()
    with clock.measuring("sql"):
        return changes.count_changes(connection, schema, deadline=deadline)
