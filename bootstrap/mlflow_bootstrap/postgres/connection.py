"""One login to PostgreSQL: what it has of ours, read by one statement, and the statements that change it."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Timer
from typing import Any

import psycopg
from psycopg import errors, sql
from pydantic import SecretStr

from cdk8s_mlflow.settings.database import DatabaseSettings
from mlflow_bootstrap.errors import RefusedError
from mlflow_bootstrap.postgres.login import Account, Connection, is_transient
from mlflow_bootstrap.retry import retrying

_SNAPSHOT = """
SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
  (SELECT row_to_json(found) FROM (
    SELECT rolcanlogin AS login, rolsuper AS superuser, rolcreatedb AS create_databases, rolcreaterole AS create_roles,
      rolreplication AS replication, rolbypassrls AS bypass_row_security, rolinherit AS inherit,
      rolconnlimit AS connection_limit, coalesce(rolvaliduntil <> 'infinity', false) AS expires,
      rolvaliduntil::text AS valid_until, shobj_description(oid, 'pg_authid') AS comment,
      pg_has_role(oid, 'USAGE') AS ours
    FROM pg_roles WHERE rolname = %(role)s) AS found),
  (SELECT coalesce(json_object_agg(datname, json_build_object(
      'owner', pg_get_userbyid(datdba),
      'connections', datallowconn,
      'comment', shobj_description(oid, 'pg_database'),
      'public_connect', EXISTS (SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba)))
        WHERE grantee = 0 AND privilege_type = 'CONNECT'))), '{}')
    FROM pg_database WHERE datname = ANY(%(databases)s))
"""
_HAS_PASSWORD = "SELECT count(*) FROM pg_authid WHERE rolname = %s AND rolpassword IS NOT NULL"  # noqa: S105
_THERE_ALREADY = (errors.DuplicateObject, errors.DuplicateDatabase, errors.UniqueViolation)
_ANOTHER_RUN = (errors.InternalError_, errors.DeadlockDetected, errors.LockNotAvailable)
"""Two writers at once; InternalError_ is "tuple concurrently updated"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the server has of ours."""

    superuser: bool
    """Whether we are logged in as one."""
    role: Mapping[str, Any] | None
    databases: Mapping[str, Mapping[str, Any]]


@dataclass
class Server:
    """A connection, opened again if it is lost."""

    account: Account
    settings: DatabaseSettings
    _connection: Connection | None = field(default=None, repr=False)
    _snapshot: Snapshot | None = None

    @classmethod
    def open(cls, account: Account, settings: DatabaseSettings) -> "Server":
        """Log in.

        Raises:
            UnreachableError: the server does not answer.
            RefusedError: it refuses.
        """
        return cls(account, settings, _connection=account.connect())

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def snapshot(self) -> Snapshot:
        """The present state; read once until something is written."""
        if self._snapshot is None:
            names = {"role": self.settings.role, "databases": [self.settings.name, self.settings.auth_name]}
            rows = self._run("reading roles and databases", _SNAPSHOT, names)
            superuser, role, databases = rows[0]
            self._snapshot = Snapshot(superuser=superuser, role=role, databases=databases)
        return self._snapshot

    def has_password(self, role: str) -> bool:
        """Whether the role has a password; false if we may not see that, as only a superuser may."""
        if not self.snapshot().superuser:
            return False
        rows = self._run("reading whether a role has a password", _HAS_PASSWORD, [role])
        return bool(rows[0][0])

    def write(self, what: str, statement: sql.Composable) -> None:
        """Change something; fine if another run has just done the same.

        Raises:
            UnreachableError: the server does not answer.
            RefusedError: it does not do it.
        """
        # Before the statement: one that fails may have changed something.
        self._snapshot = None
        with suppress(*_THERE_ALREADY):
            self._run(what, statement)

    @contextmanager
    def owning(self, role: str) -> Iterator[None]:
        """Be a member of ``role`` for a while, as one who is no superuser must be to give or take what it owns."""
        now = self.snapshot()
        # On managed PostgreSQL the administrator is no superuser, and ALTER ... OWNER asks for membership.
        if now.superuser or (now.role and now.role["ours"]):
            yield
            return
        names = {"role": sql.Identifier(role), "user": sql.Identifier(self.account.user)}
        self.write(f"membership in {role}", sql.SQL("GRANT {role} TO {user}").format(**names))
        try:
            yield
        finally:
            self.write(f"membership in {role}", sql.SQL("REVOKE {role} FROM {user}").format(**names))

    def verifier(self, role: str, password: SecretStr) -> sql.Literal:
        """The SCRAM verifier, computed here so that the password is in no statement and in no log of the server."""
        made = self._open().pgconn.encrypt_password(
            password.get_secret_value().encode(), role.encode(), b"scram-sha-256"
        )
        return sql.Literal(made.decode())

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self.account.connect()
        return self._connection

    def _run(self, what: str, statement: Any, values: Any = None) -> list[Any]:
        try:
            return retrying(self.account.login.patience, transient=self._worth_another)(self._once, statement, values)
        except _THERE_ALREADY:
            raise
        except psycopg.Error as error:
            login, user = self.account.login, self.account.user
            if is_transient(error):
                raise login.explained(user, error) from None
            raise RefusedError(
                f"PostgreSQL at {login.where} refuses {what} to {user} ({_first_line(error)})",
                remedy="docs/bootstrap.md lists the rights that suffice",
            ) from None

    def _once(self, statement: Any, values: Any) -> list[Any]:
        connection = self._open()
        with self._deadline(connection):
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _deadline(self, connection: Connection) -> Iterator[None]:
        # A server that hangs keeps no timeout of its own, so the socket ends with ours.
        wire = socket.socket(fileno=socket.dup(connection.fileno()))
        timer = Timer(self.account.login.patience.read_timeout_seconds, wire.shutdown, [socket.SHUT_RDWR])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            wire.close()

    def _worth_another(self, error: BaseException) -> bool:
        return is_transient(error) or isinstance(error, _ANOTHER_RUN)


def _first_line(error: psycopg.Error) -> str:
    return str(error.diag.message_primary or type(error).__name__)
