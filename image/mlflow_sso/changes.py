"""A number in the permissions database that every change of users, keys, groups and grants increases.

Processes that remember what these tables hold compare the number first, so that a change ends at once what every one of
them remembers. The plugin, ``bootstrap.py`` and ``end-access`` write the tables directly, so triggers count. They run
when a transaction commits: a change is counted in the transaction that makes it visible, and the row of the number is
locked last and only for a moment, so that no two transactions wait for each other.
"""

from dataclasses import dataclass
from typing import Any

from mlflow_sso import log
from mlflow_sso.deadline import Deadline
from mlflow_sso.outcomes import TABLE as OUTCOMES
from mlflow_sso.schemas import Schema

SERVICE = "mlflow_auth"
TABLE, FUNCTION, TRIGGER = "mlflow_sso_changes", "mlflow_sso_count_change", "mlflow_sso_count_change"

NUMBER = f"SELECT number FROM {TABLE}"  # noqa: S608
"""The number, in one row."""

ENDED_ACCESS = "mlflow_sso_ended_access"
"""Table of the users whose access was ended and who have come back since, for the release that keeps sessions elsewhere
(``patches/mlflow_3_6_0/sessions.py``): the mark that their sessions have from then on."""

UNCOUNTED = frozenset(
    {TABLE, ENDED_ACCESS, OUTCOMES, "auth_sessions", "auth_state", "saml_assertions", "scim_activity"}
)
"""Tables of which nothing is remembered: they change with every login."""

_TABLE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} "
    "(is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), number bigint NOT NULL)"
)
CREATE_ENDED_ACCESS = f"CREATE TABLE IF NOT EXISTS {ENDED_ACCESS} (username varchar PRIMARY KEY, mark text NOT NULL)"
# The setting is one of the transaction: it counts once, however many rows it changes.
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF to_jsonb(OLD) - 'last_used_at' = to_jsonb(NEW) - 'last_used_at' THEN
      RETURN NULL;
    END IF;
  END IF;
  IF current_setting('mlflow_sso.counted', true) IS DISTINCT FROM txid_current()::text THEN
    PERFORM set_config('mlflow_sso.counted', txid_current()::text, true);
    EXECUTE format('UPDATE %I.{TABLE} SET number = number + 1', TG_TABLE_SCHEMA);
  END IF;
  RETURN NULL;
END $$
"""  # noqa: S608 - constants of ours
_TRIGGER = (
    f"CREATE CONSTRAINT TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE ON {{}} "
    f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {FUNCTION}()"
)
STATE = f"""
SELECT heap.relname, pg_has_role(heap.relowner, 'USAGE'), EXISTS (
  SELECT FROM pg_trigger AS t WHERE t.tgrelid = heap.oid AND t.tgname = '{TRIGGER}' AND t.tgenabled IN ('O', 'A'))
FROM pg_class AS heap WHERE heap.relkind IN ('r', 'p')
AND heap.relnamespace = to_regnamespace(quote_ident(current_schema())) ORDER BY 1
"""  # noqa: S608
"""Every table, whether it is ours to change, and whether its changes are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesState:
    """Which tables are counted."""

    has_number: bool
    counted: tuple[str, ...]
    missing: tuple[str, ...]
    of_others: tuple[str, ...]
    """Not counted, and of another owner."""

    @property
    def is_complete(self) -> bool:
        return self.has_number and not (self.missing or self.of_others)


def changes_state(rows: list[tuple[str, bool, bool]], *, version_table: str) -> ChangesState:
    """Judge the rows of ``STATE``; ``version_table`` is alembic's, which only migrations change."""
    relevant = [row for row in rows if row[0] not in UNCOUNTED | {version_table}]
    return ChangesState(
        has_number={TABLE, ENDED_ACCESS} <= {name for name, _, _ in rows},
        counted=tuple(name for name, _, counted in relevant if counted),
        missing=tuple(name for name, own, counted in relevant if own and not counted),
        of_others=tuple(name for name, own, counted in relevant if not own and not counted),
    )


def read_state(connection: Any, schema: Schema) -> ChangesState:
    """Read it by a psycopg2 connection; raises psycopg2's errors."""
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        return changes_state(cursor.fetchall(), version_table=schema.version_table)


def count_changes(connection: Any, schema: Schema, *, deadline: Deadline) -> list[str]:
    """Create what is missing in one transaction, and return the tables counted from now on.

    ``connection`` is in autocommit. Waits for tables in use until ``deadline``; raises psycopg2's errors.
    """
    # So that --help and usage errors need no database driver.
    from psycopg2 import sql

    state = read_state(connection, schema)
    for table in state.of_others:
        log.progress("cannot count the changes of a table", level="warning", database=schema.name, table=table)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{int(1000 * max(1.0, deadline.left))}ms"])
            cursor.execute(_TABLE)
            cursor.execute(f"INSERT INTO {TABLE} (number) VALUES (1) ON CONFLICT DO NOTHING")  # noqa: S608
            cursor.execute(CREATE_ENDED_ACCESS)
            cursor.execute(_FUNCTION)
            for table in state.missing:
                cursor.execute(sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(_name(TRIGGER), _name(table)))
                cursor.execute(sql.SQL(_TRIGGER).format(_name(table)))
            cursor.execute("COMMIT")
        except BaseException:
            if not connection.closed:
                cursor.execute("ROLLBACK")
            raise
    return list(state.missing)


def stop_counting(connection: Any, schema: Schema) -> None:
    """Delete the triggers in the open transaction: alembic changes no table whose rows wait to be counted."""
    from psycopg2 import sql

    with connection.cursor() as cursor:
        for table in read_state(connection, schema).counted:
            cursor.execute(sql.SQL("DROP TRIGGER {} ON {}").format(_name(TRIGGER), _name(table)))
        if read_state(connection, schema).has_number:
            # What was remembered before the upgrade has ended with it.
            cursor.execute(f"UPDATE {TABLE} SET number = number + 1")  # noqa: S608


def _name(name: str) -> Any:
    from psycopg2 import sql

    return sql.Identifier(name)
