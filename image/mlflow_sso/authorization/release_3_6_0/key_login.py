"""The login of a request whose access key is known to be right: one statement and no request of Flask's.

Everything else is left to the plugin (``login.py``): a cookie, which the plugin asks first, a key that was not checked
before, one that has expired, an unknown user, and a header that cannot be read.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mlflow_sso.authorization.decision import Caller
from mlflow_sso.patches.access_keys import VerifiedKeys
from mlflow_sso.serve.change_number import number_column, reading
from mlflow_sso.serve.head import read_login


class SentKey(NamedTuple):
    """What a request carries as its login."""

    name: str
    key: str


def read_sent_key(headers: Iterable[tuple[bytes, bytes]]) -> SentKey | None:
    """The one key of a request; None if it carries another login, several, or one that cannot be read."""
    logins = [(name, value) for name, value in headers if name in (b"authorization", b"cookie")]
    if len(logins) != 1 or logins[0][0] != b"authorization" or not logins[0][1].lower().startswith(b"basic "):
        return None
    login = read_login(logins[0][1].decode("latin-1"))
    return None if login is None or "\0" in login[0] + login[1] else SentKey(*login)


class KeyLogin:
    """Finds users by keys that ``keys`` knows; ``engine`` is that of the plugin's store."""

    def __init__(self, engine: Any, keys: VerifiedKeys) -> None:
        # The plugin reads its settings when it is imported, so not before serve has set them.
        from mlflow_oidc_auth.db.models import SqlUser
        from sqlalchemy import bindparam, select

        self._engine, self._keys = engine, keys
        user = SqlUser.__table__.c
        columns = (user.username, user.is_admin, user.password_hash, user.password_expiration, number_column(engine))
        self._statement = select(*columns).where(user.username == bindparam("name"))

    def find(self, sent: SentKey) -> tuple[Caller, int | None] | None:
        """The caller and the number of changes; None if the plugin has to look."""
        # sqlalchemy is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with reading(self._engine) as connection:
                row = connection.execute(self._statement, {"name": sent.name}).one_or_none()
        except SQLAlchemyError:
            return None
        if row is None or _has_expired(row.password_expiration) or not self._keys.knows(row.password_hash, sent.key):
            return None
        return Caller(row.username, bool(row.is_admin)), row.number


def _has_expired(expiry: datetime | None) -> bool:
    # Stored without a time zone, in UTC (patches/mlflow_3_6_0/key_expiry.py).
    return expiry is not None and (expiry if expiry.tzinfo else expiry.replace(tzinfo=UTC)) < datetime.now(UTC)
