"""Lets revision 75868b020152, which moves the analytics of traces, start each page where the last one ended.

As it comes it pages through spans by ``a > x OR (a = x AND b > y)``, which PostgreSQL answers by reading from the first
row each time: twice the spans take four times as long, with ``spans``, ``trace_info`` and ``assessments`` locked all
along. The row comparison ``(a, b) > (x, y)`` means the same and starts in the index at the right place. It also reads
and deletes 250 rows a statement.
"""

import operator
from typing import Any

import sqlalchemy
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList

REVISION = "75868b020152"

BATCH_SIZE = 2000
"""Rows in one statement. PostgreSQL's stack ends at about 10,000."""


def apply(revision: Any) -> None:
    """Change the loaded module of the revision, an alembic ``Script``."""
    module = revision.module
    module._BATCH_SIZE = BATCH_SIZE
    module._delete_trace_rows = _delete_trace_rows(module)
    module._delete_span_metric_rows = _delete_span_metric_rows(module)
    module.sa = _RowComparisons()


class _RowComparisons:
    """SQLAlchemy, but for the conditions by which the revision asks for the next page."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlalchemy, name)

    def or_(self, *clauses: Any) -> Any:
        """The row comparison if ``clauses`` are ``a > x`` and ``a = x AND b > y``, else what SQLAlchemy makes of it."""
        match clauses:
            case (BinaryExpression() as beyond, BooleanClauseList(clauses=[same, BinaryExpression() as then])) if (
                beyond.operator is then.operator is operator.gt
                and clauses[1].operator is operator.and_
                and same.operator is operator.eq
                and same.left is beyond.left
                and same.right.value == beyond.right.value
            ):
                return sqlalchemy.tuple_(beyond.left, then.left) > sqlalchemy.tuple_(beyond.right, then.right)
        return sqlalchemy.or_(*clauses)


def _delete_trace_rows(module: Any) -> Any:
    def delete(table: Any, keys: list[str]) -> None:
        module.op.get_bind().execute(table.delete().where(table.c.key.in_(keys)))

    return delete


def _delete_span_metric_rows(module: Any) -> Any:
    def delete(span_metrics: Any) -> None:
        keys = list(module._COST_COLUMNS)
        module.op.get_bind().execute(span_metrics.delete().where(span_metrics.c.key.in_(keys)))

    return delete
