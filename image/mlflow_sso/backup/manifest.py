"""What a dump says about itself."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from mlflow_sso.errors import TerminalError

FORMAT = 1
"""Raised when a dump can no longer be read by an older image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpedTable:
    """One table, as the output of PostgreSQL's COPY in text format."""

    name: str
    columns: tuple[str, ...]
    rows: int
    bytes: int
    """Of the text before compression and encryption."""
    sha256: str
    """Of the same text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpedDatabase:
    """One database: the alembic revision that its tables have, what they hold, where its sequences stand."""

    revision: str
    tables: tuple[DumpedTable, ...]
    sequences: dict[str, int]
    """Last value of every sequence that has given one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A complete dump."""

    created: str
    """UTC, ISO 8601: the moment at which both databases were as dumped."""
    mlflow: str
    """Release that wrote it."""
    artifacts: str
    """Where artifacts were when it was written, as the text of an ``Origin``; they are not part of it."""
    databases: dict[str, DumpedDatabase]

    @property
    def size(self) -> int:
        """Bytes of all rows, before compression."""
        return sum(table.bytes for database in self.databases.values() for table in database.tables)

    @property
    def rows(self) -> int:
        return sum(table.rows for database in self.databases.values() for table in database.tables)

    def to_json(self) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Manifest":
        """Raises ``TerminalError`` for what this image cannot read."""
        try:
            fields = json.loads(text)
            if fields.pop("format") != FORMAT:
                raise TerminalError(
                    "the dump has a format that this image does not know", remedy="restore it with a newer image"
                )
            databases = {name: _database(value) for name, value in fields.pop("databases").items()}
            return cls(databases=databases, **fields)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TerminalError("the manifest of the dump is damaged", remedy="restore an older dump") from None


def _database(fields: dict[str, Any]) -> DumpedDatabase:
    tables = tuple(DumpedTable(**{**table, "columns": tuple(table["columns"])}) for table in fields["tables"])
    return DumpedDatabase(revision=fields["revision"], tables=tables, sequences=dict(fields["sequences"]))
