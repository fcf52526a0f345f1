"""Tells a database that is away, or is another release's by now, from every other failure of a login or a decision.

A client that hears 503 tries again; one that hears 500 gives up (mlflow/utils/request_utils.py,
``_TRANSIENT_FAILURE_RESPONSE_CODES``).
"""

import json
from collections.abc import Iterator

from mlflow_sso.authorization.errors import Answer

_AWAY = frozenset({"OperationalError", "InterfaceError", "TimeoutError"})
"""Of SQLAlchemy: no connection, a connection that was lost, and a pool in which none became free."""

_CHANGED = frozenset({"UndefinedColumn", "UndefinedTable"})
"""Of psycopg2: a newer release has upgraded the databases before this server ends, and what it reads is gone."""


def _unavailable(message: str, seconds: int) -> Answer:
    body = json.dumps({"error_code": "TEMPORARILY_UNAVAILABLE", "message": f"{message}; try again"}).encode()
    headers = (
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(seconds).encode()),
    )
    return Answer(503, headers, body)


AWAY = "a database does not answer"
UPGRADED = "the databases were upgraded for a newer release, which answers soon"
# MLflow's client tries seven times, which has to last until the pods of the newer release have started.
ANSWERS = {AWAY: _unavailable(AWAY, 5), UPGRADED: _unavailable(UPGRADED, 10)}


def outage(error: BaseException) -> str | None:
    """``AWAY`` or ``UPGRADED`` if that caused ``error``, else None; MLflow's sessions wrap what they raise."""
    # By name, so that this module imports neither SQLAlchemy nor psycopg2.
    kinds = {(kind.__module__, kind.__name__) for cause in _causes(error) for kind in type(cause).__mro__}
    if any(module == "sqlalchemy.exc" and name in _AWAY for module, name in kinds):
        return AWAY
    if any(module == "psycopg2.errors" and name in _CHANGED for module, name in kinds):
        return UPGRADED
    return None


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
