"""What a database holds now: its revision, its tables and who owns them. Reads only."""

from dataclasses import dataclass
from typing import Any

from mlflow_sso.errors import RetryableError, TerminalError
from mlflow_sso.releases import installed
from mlflow_sso.schemas import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaState:
    """A database as it was found."""

    revision: str | None
    """None if alembic has not run yet."""

    tables: frozenset[str]
    """Tables of the schema, without alembic's own."""

    def is_at_head(self, schema: Schema) -> bool:
        """Whether there is nothing to do.

        Raises ``TerminalError`` for a revision that this image does not know.
        """
        if self.revision is not None and self.revision not in schema.parents:
            raise TerminalError(
                f"{schema.name} is at revision {self.revision}, which MLflow {installed().mlflow} does not know: "
                "its schema is newer than this image, or not of this product",
                remedy="run the image that migrated it, or restore the backup from before; there is no way down",
            )
        return self.revision == schema.head


def schema_state(connection: Any, schema: Schema) -> SchemaState:
    """Read it through a psycopg2 ``connection``; raises psycopg2's errors and ``TerminalError``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema()))"
            " AND relkind IN ('r', 'p')"
        )
        tables = frozenset(name for (name,) in cursor.fetchall())
        rows = _revisions(cursor, schema) if schema.version_table in tables else []
    if len(rows) > 1:
        raise TerminalError(
            f"{schema.name} is at several revisions: {', '.join(rows)}",
            remedy=f"restore a backup, or leave only the right one in {schema.version_table}",
        )
    return SchemaState(revision=rows[0] if rows else None, tables=tables - {schema.version_table})


def require_head(connection: Any, schema: Schema) -> None:
    """Raise ``ProgramError`` if the database does not have the schema of this image."""
    now = schema_state(connection, schema)
    if not now.is_at_head(schema):
        raise RetryableError(
            f"{schema.name} is at {now.revision or 'no revision'}, not at {schema.head}",
            remedy="run `mlflow-sso migrate` first",
        )


def _revisions(cursor: Any, schema: Schema) -> list[str]:
    # So that --help and usage errors need no database driver.
    from psycopg2 import sql

    cursor.execute(sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(schema.version_table)))
    return sorted(version for (version,) in cursor.fetchall())
