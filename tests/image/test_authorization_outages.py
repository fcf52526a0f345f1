"""While a database is away, nothing is decided: the answer is 503, not 500, and nothing is served.

SQLAlchemy is not installed beside these tests, so its errors are classes of the same names here; the outages of the
live suite meet the real ones.
"""

import asyncio
from typing import Any

import pytest

from mlflow_sso.authorization.matching import Table
from mlflow_sso.authorization.middleware import AuthorizationMiddleware
from mlflow_sso.authorization.rules import MEMBER, route


def sqlalchemy_error(name: str) -> Exception:
    kind: type[Exception] = type(name, (Exception,), {"__module__": "sqlalchemy.exc"})
    return kind("secret detail")


def wrapped(error: Exception) -> Exception:
    """As MLflow's session raises it."""
    outer = RuntimeError("wrapped")
    outer.__cause__ = error
    return outer


class Failing:
    """A backend whose login fails with ``error``."""

    def __init__(self, error: Exception) -> None:
        self.error, self.served = error, False

    async def login(self, scope: Any) -> Any:
        raise self.error

    async def decide(self, *_: Any) -> Any:
        raise AssertionError("no caller, no decision")

    async def serve(self, *_: Any) -> None:
        self.served = True


def ask(backend: Failing) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    table = Table([route("GET", "/version", MEMBER)])
    scope = {"type": "http", "method": "GET", "path": "/version", "raw_path": b"/version", "headers": []}
    asyncio.run(AuthorizationMiddleware(table, backend)(scope, receive, send))
    return sent


@pytest.mark.parametrize("name", ["OperationalError", "InterfaceError", "TimeoutError"])
@pytest.mark.parametrize("wrap", [lambda error: error, wrapped], ids=["bare", "wrapped"])
def test_outage_is_answered_with_503(name: str, wrap: Any) -> None:
    backend = Failing(wrap(sqlalchemy_error(name)))

    start, body = ask(backend)

    assert start["status"] == 503
    assert (b"retry-after", b"5") in start["headers"]
    assert b"secret" not in body["body"]
    assert not backend.served


@pytest.mark.parametrize("name", ["UndefinedColumn", "UndefinedTable"])
def test_upgraded_database_is_answered_with_503(name: str) -> None:
    driver: Exception = type(name, (Exception,), {"__module__": "psycopg2.errors"})("secret detail")
    failed = sqlalchemy_error("ProgrammingError")
    failed.__cause__ = driver
    backend = Failing(wrapped(failed))

    start, body = ask(backend)

    assert start["status"] == 503
    assert (b"retry-after", b"10") in start["headers"]
    assert b"upgraded for a newer release" in body["body"]
    assert b"secret" not in body["body"]
    assert not backend.served


@pytest.mark.parametrize(
    "error", [sqlalchemy_error("ProgrammingError"), TimeoutError("other"), KeyError("x")], ids=repr
)
def test_other_errors_are_not_hidden(error: Exception) -> None:
    backend = Failing(error)

    with pytest.raises(type(error)):
        ask(backend)

    assert not backend.served
