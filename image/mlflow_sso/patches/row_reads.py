"""Reads what belongs to the rows of a page together, where MLflow reads it row by row: tags, metrics, versions."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

Options = Mapping[Any, Sequence[Any]]
"""Loader options by the class of rows."""


def read_rows_together(*, of_pages: Options, always: Options) -> None:
    """Add options to each statement that selects rows of a class: ``of_pages`` if it asks for several rows."""
    # sqlalchemy is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    event.listen(Session, "do_orm_execute", partial(_add, of_pages=of_pages, always=always))


def _add(state: Any, *, of_pages: Options, always: Options) -> None:
    if not state.is_select or state.is_relationship_load or state.is_column_load or state.bind_mapper is None:
        return
    rows = state.bind_mapper.class_
    options = always.get(rows, ())
    if rows in of_pages and _is_page(state.statement):
        options = (*options, *of_pages[rows])
    if options and _selects(state.statement, rows):
        state.statement = state.statement.options(*options)


def _selects(statement: Any, rows: Any) -> bool:
    """Whether whole ``rows`` come of it, and not only some of their columns."""
    return any(column["expr"] is rows for column in statement.column_descriptions)


def _is_page(statement: Any) -> bool:
    """Whether it has a limit of more than one row, as MLflow's searches have and its reads of one object have not."""
    limit = getattr(statement, "_limit_clause", None)
    return limit is not None and getattr(limit, "value", 2) != 1
