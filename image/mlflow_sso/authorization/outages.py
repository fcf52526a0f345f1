"""Tells a database that is away from every other failure of a login or a decision.

A client that hears 503 tries again; one that hears 500 gives up (mlflow/utils/request_utils.py,
``_TRANSIENT_FAILURE_RESPONSE_CODES``).
"""

import json
from collections.abc import Iterator

from mlflow_sso.authorization.errors import Answer

_AWAY = frozenset({"OperationalError", "InterfaceError", "TimeoutError"})
"""Of SQLAlchemy: no connection, a connection that was lost, and a pool in which none became free."""

_BODY = json.dumps(
    {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "a database does not answer; try again"}
).encode()

UNAVAILABLE = Answer(
    503,
    (
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_BODY)).encode()),
        (b"retry-after", b"5"),
    ),
    _BODY,
)


def is_outage(error: BaseException) -> bool:
    """Whether a database that is away caused ``error``; MLflow's sessions wrap what they raise."""
    return any(
        kind.__name__ in _AWAY and kind.__module__ == "sqlalchemy.exc"
        for cause in _causes(error)
        for kind in type(cause).__mro__
    )


def reason(error: BaseException) -> str:
    """First line of what began it: the driver's words, which never hold a statement's values."""
    first = [*_causes(error)][-1]
    return (str(first).splitlines() or [type(first).__name__])[0]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
