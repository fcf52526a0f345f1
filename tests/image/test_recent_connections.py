"""A pooled connection that was just in use is not asked whether it lives; one that has ended is replaced anyway."""

from collections.abc import Callable

import pytest
from pod import Pod

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

OPENING = """
import os, time
import sqlalchemy
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from mlflow_sso.patches import recent_connections
pings, ping = [], PGDialect_psycopg2.do_ping
PGDialect_psycopg2.do_ping = lambda *given: pings.append(1) or ping(*given)
recent_connections.trust_recent_connections()
uri = os.environ["MLFLOW_BACKEND_STORE_URI"]
engine = sqlalchemy.create_engine(uri, pool_pre_ping=True, pool_size=1, max_overflow=0)
def process():
    with engine.connect() as connection:
        return connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
def held():
    with engine.connect() as connection:
        return connection.connection.dbapi_connection
def end(number):
    with sqlalchemy.create_engine(uri).connect() as other:
        other.exec_driver_sql(f"SELECT pg_terminate_backend({number}, 5000)")
first = process()
"""

OFTEN = "assert {process() for _ in range(50)} == {first}; print(len(pings))"
IDLE = "time.sleep(0.7); assert process() == first; print(len(pings))"
ENDED = "end(first); assert process() not in (None, first); print(len(pings))"
CLOSED = "held().close(); assert process() not in (None, first); print(len(pings))"
REPEATED = """
for _ in range(5):
    last = process()
    end(last)
    assert process() != last
print(len(pings))
"""


def pings(make_pod: Callable[..., Pod], body: str) -> int:
    """How often a connection was asked."""
    done = make_pod().script(OPENING + body)
    assert done.code == 0, done.stderr
    return int(done.stdout.splitlines()[-1])


def test_connection_in_use_is_not_asked(make_pod: Callable[..., Pod]) -> None:
    assert pings(make_pod, OFTEN) == 0


def test_connection_that_was_idle_is_asked(make_pod: Callable[..., Pod]) -> None:
    assert pings(make_pod, IDLE) == 1


@pytest.mark.parametrize("body", [ENDED, CLOSED], ids=["by the server", "by the client"])
def test_connection_that_has_ended_is_replaced(make_pod: Callable[..., Pod], body: str) -> None:
    assert pings(make_pod, body) == 1


def test_connection_is_replaced_each_time(make_pod: Callable[..., Pod]) -> None:
    assert pings(make_pod, REPEATED) == 5
