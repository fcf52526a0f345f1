"""Takes a pooled connection for alive, without asking it, if it was in use a moment ago and nothing has arrived on it.

MLflow and the plugin let SQLAlchemy ask every connection before each use (``pool_pre_ping``): a round trip for each
store that a request touches. A server that ends a connection says so on it, or closes it; both make it readable, and
then it is asked as before, and replaced. HikariCP has the same rule without the look (``aliveBypassWindowMs``, 500).
"""

import select
import time
from typing import Any
from weakref import WeakKeyDictionary

RECENT_SECONDS = 0.5


def trust_recent_connections() -> None:
    """Of all engines of this process on PostgreSQL."""
    # sqlalchemy is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from sqlalchemy import event
    from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
    from sqlalchemy.pool import Pool

    returned: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
    ping = PGDialect_psycopg2.do_ping

    def note(connection: Any, _: Any) -> None:
        if connection is not None:
            returned[connection] = time.monotonic()

    def ping_unless_recent(dialect: Any, connection: Any) -> bool:
        recent = time.monotonic() - returned.get(connection, 0.0) < RECENT_SECONDS
        return (recent and _is_silent(connection)) or bool(ping(dialect, connection))

    event.listen(Pool, "checkin", note)
    PGDialect_psycopg2.do_ping = ping_unless_recent


def _is_silent(connection: Any) -> bool:
    """Whether it is open and nothing has arrived: between two requests only its end does."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLPRI | select.POLLRDHUP)
    return not poll.poll(0)
