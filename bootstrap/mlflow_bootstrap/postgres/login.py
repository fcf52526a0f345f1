"""How we log in to PostgreSQL: as an administrator, or as the role itself; and what a refusal means."""

import ipaddress
import math
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import certifi
import psycopg
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from cdk8s_mlflow.settings.bootstrap import BootstrapSettings
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.errors import BootstrapError, RefusedError, UnreachableError, UsageError
from mlflow_bootstrap.postgres.client_certificate import client_certificate
from mlflow_bootstrap.postgres.creators import creator_of_role
from mlflow_bootstrap.postgres.environment import ssl_mode, without_libpq_variables
from mlflow_bootstrap.retry import retrying
from mlflow_bootstrap.values import required

T = TypeVar("T")
Connection = psycopg.Connection[tuple[object, ...]]
_WRONG_PASSWORD = ("password authentication failed", "is not permitted to log in")
"""What PostgreSQL says to a wrong password, to a role that is not there, and to one without LOGIN."""
_LOGGED_IN = (
    'database "{}" does not exist',
    "permission denied for database",
    "too many connections",
    "not currently accepting",
)
"""What it says to those whose password was right."""
_LATER = ("starting up", "shutting down", "recovery mode", "too many clients", "connection slots", "administrator")
"""What it says when a later attempt may succeed."""
_LOST = frozenset({"08000", "08003", "08006", "53300", "57P01", "57P02", "57P03"})
"""The same as codes, for those who are logged in."""
_CERTIFICATE_REFUSED = " alert "
"""In what OpenSSL says if the server takes no certificate of that authority, or none any more."""
_CHECK_LOGIN = "check PGUSER and PGPASSWORD, and pg_hba.conf"
_NO_PASSWORD_ASKED = "server did not complete authentication"  # noqa: S105  (what libpq says)


@dataclass(frozen=True)
class Login:
    """The way to the server, whoever logs in."""

    context: Context

    @property
    def patience(self) -> BootstrapSettings:
        """How long and how often to try."""
        return self.context.settings.bootstrap

    @property
    def where(self) -> str:
        """Host and port, as seen from here."""
        return f"{self._host}:{self._port}"

    @property
    def _host(self) -> str:
        settings = self.context.settings
        return settings.bootstrap.postgres_host or settings.database.address

    @property
    def _port(self) -> int:
        settings = self.context.settings
        return settings.bootstrap.postgres_port or settings.database.port

    def connect(self, user: str, password: SecretStr | None, *, database: str, **more: str) -> Connection:
        """A connection that commits each statement by itself; without a password the role's certificate logs in.

        Raises:
            psycopg.OperationalError: it cannot be had.
        """
        options: dict[str, Any] = {
            **self._address(),
            **self._trust,
            **more,
            "port": self._port,
            "user": user,
            "dbname": database,
        }
        options |= {"application_name": "bootstrap.py"}
        options |= {"password": password.get_secret_value()} if password else self.certificate
        # libpq knows only whole seconds, and takes 1 for 2.
        options["connect_timeout"] = max(2, math.ceil(self.patience.connect_timeout_seconds))
        with without_libpq_variables():
            # A statement that is prepared in one session of a pooler is unknown in the next.
            return psycopg.connect(make_conninfo(**options), autocommit=True, prepare_threshold=None)

    def _address(self) -> dict[str, str]:
        # Behind a tunnel the certificate still bears the name that MLflow uses.
        expected = self.context.settings.database.address
        if _is_loopback(self._host) and not _is_loopback(expected):
            return {"host": expected, "hostaddr": socket.gethostbyname(self._host)}
        return {"host": self._host}

    @cached_property
    def _trust(self) -> dict[str, str]:
        database, environ = self.context.settings.database, self.context.credentials.environ
        mode = ssl_mode(environ, least=database.sslmode)
        if mode not in ("verify-full", "verify-ca"):
            return {"sslmode": mode}
        # A variable names the authority only if neither the settings nor the store do.
        authority = certifi.where() if database.ca == "system" else self._stored_authority()
        return {"sslmode": mode, "sslrootcert": authority or self._given_authority()}

    @cached_property
    def certificate(self) -> dict[str, str]:
        """libpq's files of the role's certificate and key."""
        return client_certificate(self.context, Path(self._folder.name))

    def _given_authority(self) -> str:
        given = self.context.credentials.environ.get("PGSSLROOTCERT")
        if not given:
            raise UsageError(
                "no certificate authority is configured for PostgreSQL",
                remedy="set PGSSLROOTCERT to a file, or MLFLOW_POSTGRES_CA_CRT_FILE so that the store gets it",
            )
        return given

    def _stored_authority(self) -> str | None:
        context = self.context
        text = context.values.value("postgres", "ca_crt") or context.credentials.given("MLFLOW_POSTGRES_CA_CRT")
        if text is None:
            return None
        # libpq reads authorities only from files.
        path = Path(self._folder.name) / "ca.crt"
        path.write_text(text.get_secret_value())
        return str(path)

    @cached_property
    def _folder(self) -> "tempfile.TemporaryDirectory[str]":
        return tempfile.TemporaryDirectory(prefix="bootstrap-")

    def proves(self, user: str, password: SecretStr, *, database: str) -> bool:
        """Whether the server takes the password by SCRAM; true as well where it then lacks the database.

        Raises:
            UnreachableError: it does not answer.
            RefusedError: it asks for no password, or says something that proves nothing.
        """
        try:
            # With `trust` in pg_hba.conf any password would log in, and prove nothing.
            self.attempts(lambda: self.connect(user, password, database=database, require_auth="scram-sha-256").close())
        except psycopg.OperationalError as error:
            if any(words in str(error) for words in _WRONG_PASSWORD):
                return False
            if any(words.format(database) in str(error) for words in _LOGGED_IN):
                return True
            raise self.explained(user, error) from None
        return True

    def attempts(self, request: Callable[[], T]) -> T:
        """``request`` as often as the settings say, where another attempt may help."""
        return retrying(self.patience, transient=is_transient)(request)

    def explained(self, user: str, error: Exception, *, remedy: str = _CHECK_LOGIN) -> BootstrapError:
        """The error in the reader's words; ``remedy`` is for a refusal."""
        said = _said(error)
        if _NO_PASSWORD_ASKED in said:
            return RefusedError(
                f"PostgreSQL at {self.where} asks {user} for no password, so none can be proved",
                remedy="let pg_hba.conf ask for scram-sha-256",
            )
        if any(words in str(error) for words in ("FATAL", _CERTIFICATE_REFUSED)) and not is_transient(error):
            return RefusedError(f"PostgreSQL at {self.where} refuses {user} ({said})", remedy=remedy)
        return UnreachableError(
            f"cannot reach PostgreSQL at {self.where} ({said})",
            remedy="check bootstrap.postgres_host and postgres_port, PGSSLROOTCERT, or open a tunnel",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_transient(error: BaseException) -> bool:
    """Whether another attempt may help: no server answered, or one that is starting, stopping or full."""
    if not isinstance(error, psycopg.OperationalError):
        return False
    # While connecting, libpq gives only text; a code exists after the login.
    if error.sqlstate:
        return error.sqlstate in _LOST
    text = str(error)
    final = any(words in text for words in ("FATAL", "certificate", "authentication", _CERTIFICATE_REFUSED))
    return not final or any(words in text for words in _LATER)


def _said(error: Exception) -> str:
    """The last reason that libpq gives, without its prefixes; it never holds a password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reasons = [line for line in lines if " failed: " in line] or lines
    return reasons[-1].rpartition(" failed: ")[2].removeprefix("FATAL:").strip() if reasons else type(error).__name__


@dataclass(frozen=True)
class Account:
    """A login, to the first of ``databases`` that exists."""

    login: Login
    user: str
    password: SecretStr | None
    """None if the role's certificate logs in."""
    databases: Sequence[str]
    remedy: str = _CHECK_LOGIN
    """What to do where the server refuses it."""

    def connect(self) -> Connection:
        """Log in.

        Raises:
            UnreachableError: the server does not answer.
            RefusedError: it refuses.
        """
        return self._connect(*self.databases)

    def _connect(self, database: str, *others: str) -> Connection:
        try:
            return self.login.attempts(lambda: self.login.connect(self.user, self.password, database=database))
        except psycopg.OperationalError as error:
            # PostgreSQL checks the password first, so this answer says that it was right.
            if others and f'database "{database}" does not exist' in str(error):
                return self._connect(*others)
            raise self.login.explained(self.user, error, remedy=self.remedy) from None


def administrator(context: Context) -> Account:
    """The administrator.

    Raises:
        UsageError: no password is given.
    """
    user = context.credentials.text("PGUSER", default="postgres")
    password = context.credentials.required("PGPASSWORD", purpose=f"password of PostgreSQL's {user}")
    return Account(Login(context), user, password, [context.settings.bootstrap.postgres_database])


def role_account(context: Context) -> Account:
    """The role, with the store's password or its certificate.

    Raises:
        MissingError: the store has no password yet.
    """
    settings = context.settings
    databases = [settings.database.name, settings.database.auth_name, settings.bootstrap.postgres_database]
    certified = settings.database.client_certificate is not None
    password = None if certified else required(context.values, "postgres", "password")
    remedy = creator_of_role(settings.database)
    return Account(Login(context), settings.database.role, password, databases, remedy)
