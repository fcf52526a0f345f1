"""Refuses searches with more conditions and sort keys than any page has: PostgreSQL plans a join for each.

The time grows with the third power of their number: 300 sort keys, a request of 6 kB, hold a connection and a processor
of the database for more than a minute, on a table with one row.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.reading import Request, normal

MOST = 50
"""Conditions and sort keys of one request together, which take a second or two; pages and clients have a few."""

FILTERS = ("filter", "filterstring")
"""Of every search, as ``normal`` writes them; a digit follows where a request has two."""
LISTS = ("orderby", "filters")
"""Each item counts."""


def refuse_costly_searches(requests: Iterable[Request]) -> None:
    """Raises ``RefusedError`` if ``requests``, the parts of one, have more than ``MOST`` of them."""
    costs = [(normal(key).rstrip("0123456789"), value) for one in requests for key, value in _fields(one)]
    # The word counted first: nearly every request ends here, before its filters are read as MLflow reads them.
    if sum(_cost(name, value, _words) for name, value in costs) <= MOST:
        return
    found = sum(_cost(name, value, _conditions) for name, value in costs)
    if found > MOST:
        raise RefusedError(
            f"this search has {found} conditions and sort keys, of which {MOST} are served: ask in several requests",
            status=400,
            error_code="INVALID_PARAMETER_VALUE",
        )


def _fields(request: Request) -> Iterator[tuple[str, Any]]:
    yield from request.query.items()
    yield from request.body.items()


def _cost(name: str, value: Any, count: Callable[[str], int]) -> int:
    items = value if isinstance(value, list) else [value]
    if name in LISTS:
        return len(items)
    return sum(count(item) for item in items if isinstance(item, str)) if name in FILTERS else 0


def _words(text: str) -> int:
    return text.lower().count("and")


def _conditions(text: str) -> int:
    """A value may hold the word as often as it likes."""
    from sqlparse.lexer import tokenize
    from sqlparse.tokens import Keyword

    return sum(kind in Keyword and word.upper() == "AND" for kind, word in tokenize(text))
