"""Keys and sessions in the permissions database, by user: who has any, and how they end.

mlflow-oidc-auth 5.6.1 keeps one key a user, as the hash of a password, and its sessions elsewhere: the hash is replaced
by a mark with the time. No key matches it, and it ends every session that began under another (``serve/sessions.py``).
mlflow-oidc-auth 11.0.2 keeps keys and sessions as rows, which are deleted. The rights of an administrator end, too: a
token that names the account has them without a login.

Both keep a user's groups as rows that only a login renews, so a key would have the grants of a group for ever.
"""

from dataclasses import dataclass
from typing import Any

from mlflow_sso.account import User
from mlflow_sso.releases.release import Release

ENDED = "ended:"
"""Begin of the mark; the seconds since 1970 follow, with their fraction, so that no two marks of a user are equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What a user has because a login found them in a group: the group's grants, or the rights of an administrator."""

    user: User
    group: str | None
    """Name of the group; None for the rights of an administrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRows:
    """How a release keeps them."""

    identities: str
    """Expression for the ids in the realm that the user of a row is bound to; NULL for none."""
    condition: str
    """True for a user whose access has not ended."""
    end: tuple[tuple[str, str], ...]
    """What is ended, and the statement that ends it for the user ``%(id)s``; its row count is reported."""

    def users(self, connection: Any) -> list[User]:
        """Everybody whose access has not ended, in the order of their names."""
        with connection.cursor() as cursor:
            cursor.execute(self.select)
            return [_user(row) for row in cursor.fetchall()]

    def rights(self, connection: Any) -> list[Right]:
        """Whatever anybody has because of a group, in the order of their names."""
        with connection.cursor() as cursor:
            cursor.execute(self.select_rights)
            return [Right(user=_user(row), group=row[4]) for row in cursor.fetchall()]

    @property
    def select(self) -> str:
        """Id, name, kind and identities of every user whose access has not ended."""
        return f"{self._columns} FROM users WHERE {self.condition} ORDER BY username"

    @property
    def select_rights(self) -> str:
        """The same of every user with a right, and the group's name, NULL for the rights of an administrator."""
        groups = "JOIN user_groups ON user_id = users.id JOIN groups ON groups.id = group_id"
        return (
            f"{self._columns}, group_name FROM users {groups} "
            f"UNION ALL {self._columns}, NULL FROM users WHERE is_admin ORDER BY username, group_name NULLS FIRST"
        )

    @property
    def _columns(self) -> str:
        return f"SELECT users.id, username, is_service_account, {self.identities} AS identities"

    def end_access(self, connection: Any, user: User) -> dict[str, int]:
        """End keys and sessions of ``user`` in one transaction; gives how many of each."""
        with connection, connection.cursor() as cursor:
            counts = {}
            for what, statement in self.end:
                cursor.execute(statement, {"id": user.id})
                counts[what] = cursor.rowcount
        return counts

    def end_right(self, connection: Any, right: Right) -> dict[str, int]:
        """End one right in one transaction; gives how many rows had it."""
        with connection, connection.cursor() as cursor:
            cursor.execute(
                END_ADMINISTRATOR if right.group is None else END_MEMBERSHIP,
                {"id": right.user.id, "group": right.group},
            )
            return {"administrators" if right.group is None else "groups": cursor.rowcount}


END_ADMINISTRATOR = "UPDATE users SET is_admin = false WHERE id = %(id)s AND is_admin"
END_MEMBERSHIP = (
    "DELETE FROM user_groups WHERE user_id = %(id)s AND group_id = (SELECT id FROM groups WHERE group_name = %(group)s)"
)

HASHES = AccessRows(
    # This plugin binds no account to an id: who has the address has the account.
    identities="NULL::text[]",
    condition="password_hash NOT LIKE 'ended:%'",
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
    # Until the first login after a migration the name itself is the subject.
    identities="(SELECT array_agg(subject::text) FROM user_identities "
    "WHERE user_id = users.id AND subject <> username)",
    condition="(is_admin OR EXISTS (SELECT FROM user_tokens WHERE user_id = users.id) OR "
    "EXISTS (SELECT FROM auth_sessions WHERE user_id = users.id))",
    end=(
        ("keys", "DELETE FROM user_tokens WHERE user_id = %(id)s"),
        ("sessions", "DELETE FROM auth_sessions WHERE user_id = %(id)s"),
        ("administrators", END_ADMINISTRATOR),
    ),
)


def _user(row: tuple[Any, ...]) -> User:
    return User(id=row[0], name=row[1], is_service_account=bool(row[2]), identities=frozenset(row[3] or ()))


def access_rows(release: Release) -> AccessRows:
    """Those of ``release``."""
    return ROWS if release.sessions_in_database else HASHES
