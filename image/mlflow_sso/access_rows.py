"""Keys and sessions in the permissions database, by user: who has any, and how they end.

mlflow-oidc-auth 5.6.1 keeps one key a user, as the hash of a password, and its sessions elsewhere: the hash is replaced
by a mark with the time. No key matches it, and it ends every session that began under another (``serve/sessions.py``).
mlflow-oidc-auth 11.0.2 keeps keys and sessions as rows, which are deleted. The rights of an administrator end, too: a
token that names the account has them without a login.
"""

from dataclasses import dataclass
from typing import Any

from mlflow_sso.releases.release import Release

ENDED = "ended:"
"""Begin of the mark; the seconds since 1970 follow, with their fraction, so that no two marks of a user are equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the permissions database who may still get in."""

    id: int
    name: str
    is_service_account: bool
    """Whether an administrator of MLflow made it for a program; Keycloak need not know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRows:
    """How a release keeps them."""

    select: str
    """Id, name and kind of every user whose access has not ended."""
    end: tuple[tuple[str, str], ...]
    """What is ended, and the statement that ends it for the user ``%(id)s``; its row count is reported."""

    def users(self, connection: Any) -> list[User]:
        """Everybody whose access has not ended, in the order of their names."""
        with connection.cursor() as cursor:
            cursor.execute(self.select)
            return [User(id=row[0], name=row[1], is_service_account=bool(row[2])) for row in cursor.fetchall()]

    def end_access(self, connection: Any, user: User) -> dict[str, int]:
        """End keys and sessions of ``user`` in one transaction; gives how many of each."""
        with connection, connection.cursor() as cursor:
            counts = {}
            for what, statement in self.end:
                cursor.execute(statement, {"id": user.id})
                counts[what] = cursor.rowcount
        return counts


HASHES = AccessRows(
    select="SELECT id, username, is_service_account FROM users "
    "WHERE password_hash NOT LIKE 'ended:%' ORDER BY username",
    end=(
        (
            "keys_and_sessions",
            # %% is one per cent sign: psycopg2 fills in %(id)s of the same text, and of the SELECT above nothing.
            "UPDATE users SET password_hash = 'ended:' || extract(epoch FROM now()), is_admin = false, "
            "password_expiration = now() AT TIME ZONE 'UTC' WHERE id = %(id)s AND password_hash NOT LIKE 'ended:%%'",
        ),
    ),
)

ROWS = AccessRows(
    select="SELECT id, username, is_service_account FROM users WHERE "
    "is_admin OR EXISTS (SELECT FROM user_tokens WHERE user_id = users.id) OR "
    "EXISTS (SELECT FROM auth_sessions WHERE user_id = users.id) ORDER BY username",
    end=(
        ("keys", "DELETE FROM user_tokens WHERE user_id = %(id)s"),
        ("sessions", "DELETE FROM auth_sessions WHERE user_id = %(id)s"),
        ("administrators", "UPDATE users SET is_admin = false WHERE id = %(id)s AND is_admin"),
    ),
)


def access_rows(release: Release) -> AccessRows:
    """Those of ``release``."""
    return ROWS if release.sessions_in_database else HASHES
