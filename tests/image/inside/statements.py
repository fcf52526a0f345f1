"""Counts the SQL that this process sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Statements:
    """Counts what any engine of this process sends to a database."""

    def __init__(self) -> None:
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        self.seen: list[str] = []
        event.listen(Engine, "before_cursor_execute", self._note)

    def _note(self, *arguments: Any) -> None:
        self.seen.append(arguments[2])

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The statements of the block."""
        self.seen = []
        yield self.seen
