"""One statement for the login of a known key, and what the plugin remembers of grants ends with the next change.

mlflow-oidc-auth 11.0.2 reads key, user and groups by three statements, two of them in the event loop. It also remembers
grants for a time that other replicas' changes do not shorten.
"""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from threading import Lock
from typing import Any, NamedTuple

from mlflow_sso.authorization.remembering import GRANT_SECONDS
from mlflow_sso.patches.access_keys import VerifiedKeys, busy
from mlflow_sso.serve.change_number import number_column, reading

USED_SECONDS = 60
"""How often the plugin writes when a key was last used (``LAST_USED_RESOLUTION_SECONDS``), which only it does."""

Facts = tuple[bool, bool, str, tuple[bool, str | None]]
"""Whether the user is an administrator and active, why not, and what service account it is; as the plugin has it."""


class Login(NamedTuple):
    """What a login has read, and the request that it was read for."""

    request: object
    username: str
    facts: Facts


_login: ContextVar[Login | None] = ContextVar("login_with_key", default=None)


class Grants:
    """Ends what the plugin remembers when the number of changes is another one."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget, self._lock = forget, Lock()
        self._number: int | None = None

    def as_of(self, number: int | None) -> None:
        """Let what follows see every change up to ``number``; without a number, nothing is remembered."""
        with self._lock:
            changed = number is None or number != self._number
            if changed:
                self._forget()
                self._number = number


class KeyLogin:
    """Finds users by keys that ``keys`` knows; ``engine`` is that of the plugin's store."""

    def __init__(self, engine: Any, keys: VerifiedKeys, grants: Grants) -> None:
        # The plugin reads its settings when it is imported, so not before serve has set them.
        from mlflow_oidc_auth.db.models import SqlUser, SqlUserToken
        from sqlalchemy import bindparam, select

        self._engine, self._keys, self._grants = engine, keys, grants
        user, key, number = SqlUser.__table__, SqlUserToken.__table__, number_column(engine)
        columns = (
            user.c.username,
            user.c.is_admin,
            user.c.active,
            user.c.is_service_account,
            user.c.service_account_source,
            key.c.token_hash,
            key.c.expires_at,
            key.c.last_used_at,
            number,
        )
        joined = user.join(key, key.c.user_id == user.c.id)
        named = user.c.username == bindparam("name")
        of_prefix = key.c.token_prefix == bindparam("prefix")
        self._by_prefix = select(*columns).select_from(joined).where(named, of_prefix)
        self._without_prefix = select(*columns).select_from(joined).where(named, key.c.token_prefix.is_(None)).limit(1)
        self._number = select(number)

    def find(self, name: str, key: str) -> Login | None:
        """The login; None if the plugin has to look. ``name`` is in small letters."""
        from mlflow_oidc_auth.repository.user_token import parse_prefix
        from sqlalchemy.exc import SQLAlchemyError

        prefix = parse_prefix(key)
        statement = self._without_prefix if prefix is None else self._by_prefix
        try:
            with reading(self._engine) as connection:
                row = connection.execute(statement, {"name": name, "prefix": prefix}).one_or_none()
        # The plugin then looks by itself, and its failure is answered as any other of its logins.
        except (SQLAlchemyError, ValueError):
            return None
        # A key that was never verified is left to the plugin, whose hashing is rationed.
        if row is None or not self._keys.knows(row.token_hash, key) or not row.active or not _is_fresh(row):
            return None
        self._grants.as_of(row.number)
        account = (bool(row.is_service_account), row.service_account_source)
        return Login(busy.get(), row.username, (bool(row.is_admin), True, "", account))

    def read_number(self) -> None:
        """Let a request that was logged in otherwise see every change."""
        with reading(self._engine) as connection:
            self._grants.as_of(connection.execute(self._number).scalar())


def _is_fresh(row: Any) -> bool:
    now = datetime.now(UTC).replace(tzinfo=None)
    # Left to the plugin: it refuses what has expired, and writes when a key was first used.
    if row.expires_at <= now or row.last_used_at is None:
        return False
    return bool((now - row.last_used_at).total_seconds() < USED_SECONDS)


def note(login: Login | None) -> None:
    """Keep ``login`` for the rest of its request."""
    _login.set(login)


def noted() -> Login | None:
    """The login with a key of this request; a connection's next request may begin in the context of the last one."""
    login = _login.get()
    return login if login is not None and login.request is busy.get() else None


def use_noted_login(middleware: Any) -> None:
    """Let ``middleware``, the plugin's ``AuthMiddleware``, ask nothing again that a login has read."""
    read: Callable[[Any, str], Facts] = middleware._get_user_auth_facts

    def facts(self: Any, username: str) -> Facts:
        login = noted()
        return login.facts if login is not None and login.username == username else read(self, username)

    middleware._get_user_auth_facts = facts


def forget_after_seconds(config: Any) -> None:
    """Shorten what the plugin remembers of grants, before its caches exist."""
    config.PERMISSION_CACHE_TTL_SECONDS = min(GRANT_SECONDS, int(config.PERMISSION_CACHE_TTL_SECONDS))
