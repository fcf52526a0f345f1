"""Indexes that MLflow and the plugin lack: which there should be, which there are, and how they are created.

They are named ``mlflow_sso_…``, created without blocking a reader or a writer, left out if a similar index exists, and
never deleted. Alembic, which compares revisions only, does not see them.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from mlflow_sso import log
from mlflow_sso.database import limited_lock_wait
from mlflow_sso.deadline import Deadline
from mlflow_sso.schemas import Schema

PREFIX = "mlflow_sso_"
LONGEST_NAME = 63
"""Bytes that PostgreSQL keeps of a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index, in PostgreSQL's own spelling."""

    name: str
    table: str
    keys: tuple[str, ...]
    """Columns or expressions, with their direction."""

    leading: int = 1
    """How many of ``keys`` another index has to begin with, in whatever direction, to serve instead."""

    method: str = "btree"
    where: str = ""

    @property
    def statement(self) -> str:
        where = f" WHERE {self.where}" if self.where else ""
        keys = ", ".join(self.keys)
        return f"CREATE INDEX CONCURRENTLY {self.name} ON {self.table} USING {self.method} ({keys}){where}"

    def is_like(self, other: "Existing") -> bool:
        """Whether ``other`` serves the same queries."""
        mine = [_plain(key) for key in self.keys[: self.leading]]
        theirs = [_plain(key) for key in other.keys[: self.leading]]
        same_rows = _plain(self.where) == _plain(other.where)
        return other.is_valid and self.method == other.method and mine == theirs and same_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """An index of the database."""

    name: str
    table: str
    method: str
    keys: tuple[str, ...]
    where: str
    is_valid: bool
    """False for what a killed ``CREATE INDEX CONCURRENTLY`` leaves."""


TRACKING = (
    # runs/search: newest first, as clients ask that name no order.
    Index(
        name="mlflow_sso_runs_experiment_start",
        table="runs",
        keys=("experiment_id", "start_time DESC", "run_uuid"),
        leading=2,
    ),
    # runs/search as MLflow's pages ask: `attributes.start_time DESC` puts runs without a start last.
    Index(
        name="mlflow_sso_runs_experiment_start_nulls_last",
        table="runs",
        keys=(
            "experiment_id",
            "(CASE WHEN (start_time IS NULL) THEN 1 ELSE 0 END)",
            "start_time DESC",
            "run_uuid",
        ),
        leading=3,
    ),
    # `tags.mlflow.parentRunId = …`: the runs below a run. By hash, for a tag may be longer than a B-tree takes.
    Index(
        name="mlflow_sso_tags_parent_run",
        table="tags",
        keys=("value",),
        method="hash",
        where="((key)::text = 'mlflow.parentRunId'::text)",
    ),
    # logged-models/search: newest first.
    Index(
        name="mlflow_sso_logged_models_experiment_created",
        table="logged_models",
        keys=("experiment_id", "creation_timestamp_ms DESC"),
        leading=2,
    ),
    # model-versions/search by run, which MLflow's pages ask for each run they show.
    Index(name="mlflow_sso_model_versions_run", table="model_versions", keys=("run_id",)),
)

_EXISTING = """
SELECT index.relname, heap.relname, am.amname, array(
  SELECT pg_get_indexdef(i.indexrelid, n, false) FROM generate_series(1, i.indnkeyatts) AS n ORDER BY n),
  coalesce(pg_get_expr(i.indpred, i.indrelid), ''), i.indisvalid
FROM pg_index AS i JOIN pg_class AS index ON index.oid = i.indexrelid JOIN pg_class AS heap ON heap.oid = i.indrelid
JOIN pg_am AS am ON am.oid = index.relam
WHERE heap.relnamespace = to_regnamespace(quote_ident(current_schema()))
"""
_OWNERS = """
SELECT child.relname, child_column.attname FROM pg_constraint AS key
JOIN pg_class AS child ON child.oid = key.conrelid JOIN pg_class AS parent ON parent.oid = key.confrelid
JOIN pg_attribute AS child_column ON child_column.attrelid = child.oid AND child_column.attnum = key.conkey[1]
WHERE key.contype = 'f' AND parent.relname IN ('users', 'groups')
AND child.relnamespace = to_regnamespace(quote_ident(current_schema())) ORDER BY 1, 2
"""
_OWN_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema()))
AND relkind IN ('r', 'p') AND pg_has_role(relowner, 'USAGE')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """The indexes that a database should have, by whether it has them."""

    present: tuple[Index, ...]
    missing: tuple[Index, ...]
    invalid: frozenset[str]
    """Names of those that exist but are invalid."""
    of_others: tuple[Index, ...]
    """Missing ones on tables of another owner, on which this role cannot create any."""


def index_state(connection: Any, schema: Schema) -> IndexState:
    """Read it; raises psycopg2's errors."""
    with connection.cursor() as cursor:
        cursor.execute(_EXISTING)
        existing = [
            Existing(name=name, table=table, method=method, keys=tuple(keys), where=where, is_valid=valid)
            for name, table, method, keys, where, valid in cursor.fetchall()
        ]
        cursor.execute(_OWN_TABLES)
        own = {table for (table,) in cursor.fetchall()}
        wanted = _wanted(cursor, schema)
    lacking = [index for index in wanted if not _exists(index, existing)]
    return IndexState(
        present=tuple(index for index in wanted if index not in lacking),
        missing=tuple(index for index in lacking if index.table in own),
        invalid=frozenset(index.name for index in existing if not index.is_valid),
        of_others=tuple(index for index in lacking if index.table not in own),
    )


def create_missing(connection: Any, schema: Schema, *, deadline: Deadline) -> list[str]:
    """Create what is missing, one after the other, and return the names; ``connection`` is in autocommit.

    Waits, until ``deadline``, for transactions that are older than an index. Raises psycopg2's errors; what an index
    that was broken off leaves behind is deleted by the next call.
    """
    # So that --help and usage errors need no database driver.
    from psycopg2 import sql

    state = index_state(connection, schema)
    for index in state.of_others:
        log.progress(
            "cannot create an index", level="warning", database=schema.name, index=index.name, table=index.table
        )
    with connection.cursor() as cursor:
        for index in state.missing:
            with limited_lock_wait(connection, deadline.left):
                if index.name in state.invalid:
                    cursor.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(index.name)))
                log.progress("creating an index", database=schema.name, index=index.name, table=index.table)
                cursor.execute(index.statement)
    return [index.name for index in state.missing]


def _wanted(cursor: Any, schema: Schema) -> tuple[Index, ...]:
    if schema.name == "mlflow":
        return TRACKING
    # Permissions and memberships are looked up by user and by group, and are unique in the other order only.
    cursor.execute(_OWNERS)
    return tuple(Index(name=_name(table, column), table=table, keys=(column,)) for table, column in cursor.fetchall())


def _name(table: str, column: str) -> str:
    name = f"{PREFIX}{table}_{column}"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _exists(index: Index, existing: list[Existing]) -> bool:
    return any(index.table == other.table and index.is_like(other) for other in existing)


def _plain(text: str) -> str:
    """Without direction, and without the parentheses and line breaks in which PostgreSQL's versions differ."""
    return re.sub(r"\s+(DESC|ASC|NULLS (FIRST|LAST))\b|[\s()]", "", text)
