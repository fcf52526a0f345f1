"""Tables, columns and sequences of a database, and what stands in the way of loading rows into it quickly."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mlflow_sso.changes import TABLE as CHANGES
from mlflow_sso.outcomes import TABLE as OUTCOMES

SCHEMA = "to_regnamespace(quote_ident(current_schema()))"

_COLUMNS = f"""
SELECT relname, array_agg(attname::text ORDER BY attnum) FILTER (WHERE attgenerated = '') FROM pg_class
JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
WHERE relnamespace = {SCHEMA} AND relkind IN ('r', 'p') AND NOT relispartition GROUP BY relname ORDER BY relname
"""  # noqa: S608 - constants of ours

_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema() AND last_value > 0"

_CONSTRAINTS = f"""
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = {SCHEMA} AND contype = ANY(%s) AND conparentid = 0 ORDER BY conrelid::regclass::text, conname
"""  # noqa: S608

_INDEXES = f"""
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = {SCHEMA} AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) ORDER BY 1
"""  # noqa: S608


def columns(connection: Any, *, without: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """The columns that a client may write, of every table but ``without`` and what describes an installation."""
    others = {*without, CHANGES, OUTCOMES}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        return {name: tuple(names or ()) for name, names in cursor.fetchall() if name not in others}


def sequences(connection: Any) -> dict[str, int]:
    """Last value of each sequence that has given one."""
    with connection.cursor() as cursor:
        cursor.execute(_SEQUENCES)
        return dict(cursor.fetchall())


def set_sequences(connection: Any, values: dict[str, int]) -> None:
    """Let each sequence go on behind its last value."""
    # So that --help and usage errors need no database driver.
    from psycopg2 import sql

    with connection.cursor() as cursor:
        for name, value in values.items():
            cursor.execute(sql.SQL("SELECT setval({}, %s)").format(sql.Literal(sql_name(name))), [value])


def sql_name(name: str) -> str:
    """``name`` as PostgreSQL reads it in text, such as in ``regclass``."""
    return '"' + name.replace('"', '""') + '"'


def copy_statement(table: str, names: Sequence[str], direction: str) -> str:
    """COPY of the columns ``names`` in text format, ``TO STDOUT`` or ``FROM STDIN``."""
    listed = ", ".join(sql_name(name) for name in names)
    return f"COPY {sql_name(table)} ({listed}) {direction}"


ASIDE = "mlflow_sso_restore_aside"
"""Temporary table for rows with columns that their own table has not."""


def aside_statement(table: str, foreign: Sequence[str]) -> str:
    """Create ``ASIDE`` with the columns of ``table`` and ``foreign`` ones, of which only the text matters."""
    more = ", ".join(f"{sql_name(name)} text" for name in foreign)
    return f"CREATE TEMPORARY TABLE {ASIDE} (LIKE {sql_name(table)}, {more}) ON COMMIT DROP"


def move_statements(table: str, names: Sequence[str]) -> tuple[str, str]:
    """Move the columns ``names`` of all rows from ``ASIDE`` to ``table``."""
    listed = ", ".join(map(sql_name, names))
    move = f"INSERT INTO {sql_name(table)} ({listed}) SELECT {listed} FROM {ASIDE}"  # noqa: S608 - names of ours
    return move, f"DROP TABLE {ASIDE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """Constraints and indexes that were dropped, as the statements that create them again, in their order."""

    statements: tuple[str, ...]

    @classmethod
    def drop(cls, connection: Any) -> "SetAside":
        """Drop foreign keys, then other constraints that keep an index, then the other indexes."""
        with connection.cursor() as cursor:
            cursor.execute(_INDEXES)
            indexes = cursor.fetchall()
            foreign, keys = _constraints(cursor, "f"), _constraints(cursor, "pux")
            for table, name, _ in (*foreign, *keys):
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX {name}")
        add = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in keys]
        create = [definition for _, definition in indexes]
        refer = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in foreign]
        return cls(statements=(*add, *create, *refer))

    def restore(self, connection: Any) -> None:
        """Create them again; PostgreSQL checks every row meanwhile."""
        with connection.cursor() as cursor:
            for statement in self.statements:
                cursor.execute(statement)


def _constraints(cursor: Any, kinds: str) -> list[tuple[str, str, str]]:
    cursor.execute(_CONSTRAINTS, [list(kinds)])
    return list(cursor.fetchall())


def truncate(connection: Any, names: Sequence[str]) -> None:
    """Empty the tables, so that nothing but what is loaded is in them."""
    if names:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(map(sql_name, names))}")
