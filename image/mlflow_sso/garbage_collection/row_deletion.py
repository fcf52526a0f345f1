"""Deletes rows together with the rows that refer to them, along the foreign keys that the database itself has.

MLflow's own deletion follows the relations of its classes, and stops at a foreign key that they do not know
(``fk_logged_model_params_experiment_id`` and its sisters).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_EDGES = """
SELECT child.relname, child_column.attname, parent.relname, parent_column.attname
FROM pg_constraint AS key
JOIN pg_class AS child ON child.oid = key.conrelid
JOIN pg_class AS parent ON parent.oid = key.confrelid
JOIN pg_attribute AS child_column ON child_column.attrelid = key.conrelid AND child_column.attnum = key.conkey[1]
JOIN pg_attribute AS parent_column ON parent_column.attrelid = key.confrelid AND parent_column.attnum = key.confkey[1]
WHERE key.contype = 'f' AND key.confdeltype IN ('a', 'r') AND cardinality(key.conkey) = 1
AND key.connamespace = to_regnamespace(quote_ident(current_schema()))
"""
# The keys that PostgreSQL would refuse to break; those ON DELETE CASCADE and SET NULL it follows by itself.


@dataclass(frozen=True, slots=True)
class Reference:
    """``child.child_column`` refers to ``parent_column`` of the table it is listed under."""

    child: str
    child_column: str
    parent_column: str


References = Mapping[str, tuple[Reference, ...]]
"""By the table that is referred to."""


def references(cursor: Any) -> References:
    """The foreign keys of the database; raises psycopg2's errors."""
    found: dict[str, tuple[Reference, ...]] = defaultdict(tuple)
    cursor.execute(_EDGES)
    for child, child_column, parent, parent_column in cursor.fetchall():
        found[parent] += (Reference(child, child_column, parent_column),)
    return found


def delete_rows(cursor: Any, keys: References, table: str, column: str, values: Sequence[object]) -> int:
    """Delete the rows of ``table`` where ``column`` is one of ``values``, dependants first; returns how many in all.

    Raises psycopg2's errors: ``ForeignKeyViolation`` if a row that must stay refers to one of them.
    """
    # So that --help and usage errors need no database driver.
    from psycopg2 import sql

    return _delete_where(cursor, keys, table, column, sql.SQL("= ANY({})").format(sql.Literal(list(values))))


def _delete_where(cursor: Any, keys: References, table: str, column: str, condition: Any) -> int:
    from psycopg2 import sql

    where = sql.SQL("{} {}").format(sql.Identifier(column), condition)
    deleted = 0
    for reference in keys.get(table, ()):
        # A key to the very column of the condition needs no look at the parent's rows.
        of_parents = condition
        if reference.parent_column != column:
            parents = sql.SQL("IN (SELECT {} FROM {} WHERE {})")
            of_parents = parents.format(sql.Identifier(reference.parent_column), sql.Identifier(table), where)
        deleted += _delete_where(cursor, keys, reference.child, reference.child_column, of_parents)
    cursor.execute(sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(table), where))
    return deleted + int(cursor.rowcount)
