"""A connection to PostgreSQL, waited for, and what its errors mean to whoever runs the program."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlflow_sso import log, termination
from mlflow_sso.deadline import Deadline
from mlflow_sso.errors import ProgramError, RetryableError, TerminalError
from mlflow_sso.schemas import Schema

KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""A server that is gone is noticed within a minute, also in the middle of a statement."""

_OWN_CERTIFICATE = (
    "look at the Secret that database.client_certificate names: the common name of tls.crt must be the role, its "
    "authority one of PostgreSQL's ssl_ca_file, and tls.key its key"
)

REFUSALS = {
    "valid client certificate": "set database.client_certificate, or let pg_hba.conf take the role's password",
    "certificate authentication failed": _OWN_CERTIFICATE,
    "alert unknown ca": _OWN_CERTIFICATE,
    "alert certificate": _OWN_CERTIFICATE,
    "alert decrypt error": _OWN_CERTIFICATE,
    "certificate file": _OWN_CERTIFICATE,
    "private key file": _OWN_CERTIFICATE,
    "certificate": "compare ca.crt in mlflow-db-secret with the authority that signed the server's certificate",
    "password authentication failed": "compare mlflow-db-secret with the password of the role in PostgreSQL",
    "does not exist": "create the role and the database first: `bootstrap.py postgres` says who should",
    "not permitted to log in": "give the role LOGIN",
    "permission denied for database": "grant CONNECT on the database to the role, or let the role own it",
    "no pg_hba.conf entry": "let pg_hba.conf admit the role from the pods, with the sslmode of the service file",
}
"""What the server or the TLS handshake refuses, with its remedy.

libpq hands out no SQLSTATE for a connection that failed, so its text has to do. On a first installation each of these
can pass by itself (the role is created after the database, the Secret after the pod), so they are waited for; they are
terminal once the time is up.
"""

RETRYABLE_CLASSES = ("08", "40", "53", "55P03", "57P", "25006", "58")
"""SQLSTATE prefixes: connection lost, deadlock, out of resources, lock timeout, shutdown, read-only standby, I/O."""


CANCELED = "57014"

LIMITS = {
    CANCELED: "statement_timeout",
    "25P03": "idle_in_transaction_session_timeout",
    "25P04": "transaction_timeout",
}
"""Settings of PostgreSQL that end what takes too long, by the SQLSTATE of the error."""


# A program is idle while it waits for a lock, for Keycloak or for the bucket; PostgreSQL before 14 has no such limit.
# Not behind a pooler, as `is_pooled` tells: the session would go on without its limit.
_STAY = """
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name = 'idle_session_timeout' AND setting <> '0' AND pg_backend_pid() = %s
"""


def connect(schema: Schema, *, deadline: Deadline, program: str, writable: bool = False) -> Any:
    """A psycopg2 connection in autocommit, which the caller closes.

    ``writable`` waits for a primary where the address also leads to standbys.

    Raises:
        TerminalError: refused until the deadline, or the address itself is wrong.
        RetryableError: not reachable until the deadline.
    """
    # So that --help and usage errors need no database driver.
    import psycopg2

    while True:
        options = {"target_session_attrs": "read-write"} if writable else {}
        try:
            connection = psycopg2.connect(
                schema.libpq_uri,
                # libpq waits for ever at zero; ten seconds at most, so that each try gets its line in the log.
                connect_timeout=max(2, min(10, int(deadline.left))),
                application_name=f"mlflow-sso {program}",
                **KEEPALIVES,
                **options,
            )
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(_STAY, [connection.info.backend_pid])
        except psycopg2.ProgrammingError:
            raise _unreadable(schema) from None
        except psycopg2.OperationalError as error:
            _wait_or_raise(schema, _first_line(error), deadline)
            continue
        termination.watch(connection)
        return connection


def is_pooled(connection: Any) -> bool:
    """Whether a pooler stands in between, which may give each transaction another session of PostgreSQL.

    A server tells its process to each client, which needs it to cancel a statement; a pooler tells one of its own
    making (PgBouncer's ``client.cancel_key``). Raises psycopg2's errors.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return bool(cursor.fetchone()[0] != connection.info.backend_pid)


def lift_time_limits(connection: Any) -> None:
    """Let the transaction take as long as it takes, whatever the role's or the database's limits are.

    For work whose length is that of the data, beside which a session may have to wait; raises psycopg2's errors.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT_LIMITS)


_WITHOUT_LIMITS = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
"""


@contextmanager
def limited_lock_wait(connection: Any, seconds: float) -> Iterator[None]:
    """Bound how long a statement that cannot be in a transaction waits for a lock; raises psycopg2's errors.

    Behind a pooler nothing is bounded: what is set for a session stays with whoever gets that session next.
    """
    if is_pooled(connection):
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{int(1000 * max(1.0, seconds))}ms"])
        yield
        cursor.execute("RESET lock_timeout")


def _wait_or_raise(schema: Schema, reason: str, deadline: Deadline) -> None:
    # libpq's words for a Secret that is mounted and wrong: no wait cures that.
    if reason.startswith(("definition of service", "service file", "syntax error in service file", "invalid ")):
        raise TerminalError(f"{schema.name}: {reason}", remedy="look at pg_service.conf in mlflow-db-secret")
    if deadline.passed:
        raise _given_up(schema, reason)
    log.progress("waiting for PostgreSQL", database=schema.name, reason=reason, seconds_left=round(deadline.left))
    deadline.pause()


def _given_up(schema: Schema, reason: str) -> ProgramError:
    for text, remedy in REFUSALS.items():
        if text in reason:
            return TerminalError(f"PostgreSQL refuses {schema.name}: {reason}", remedy=remedy)
    return RetryableError(
        f"cannot reach PostgreSQL for {schema.name}: {reason}",
        remedy="look at the database's pods, its Service and the NetworkPolicy, or raise --timeout",
    )


def _unreadable(schema: Schema) -> TerminalError:
    # libpq's own text quotes the part it could not read, which may be a password.
    return TerminalError(
        f"libpq cannot read {schema.variable}",
        remedy="use postgresql+psycopg2:///?service=NAME, or percent-encode what the URI holds",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["the connection was lost"])[0].strip()


@contextmanager
def errors_explained(schema: Schema, *, doing: str) -> Iterator[None]:
    """Turn psycopg2's errors into ours, by their SQLSTATE."""
    import psycopg2

    try:
        yield
    except psycopg2.Error as error:
        raise _explained(error, schema, doing) from None


def _explained(error: Any, schema: Schema, doing: str) -> ProgramError:
    if error.pgcode == CANCELED and termination.has_come():
        return termination.stopped()
    problem = f"{doing} {schema.name}: {_first_line(error)}"
    # psycopg2 has no SQLSTATE when the connection itself was lost.
    if error.pgcode is None or (error.pgcode.startswith(RETRYABLE_CLASSES) and error.pgcode not in LIMITS):
        return RetryableError(problem, remedy="nothing was left half done; run it again")
    if error.pgcode in LIMITS:
        return TerminalError(problem, remedy=f"raise {LIMITS[error.pgcode]} of the role or of the database")
    if error.pgcode == "42501":
        return TerminalError(
            problem,
            remedy=f"let the role of mlflow-db-secret own the database {schema.name} and its tables",
        )
    return TerminalError(
        f"{problem} (SQLSTATE {error.pgcode})",
        remedy="nothing was left half done; look the message up with the maintainers of MLflow or of the plugin",
    )
