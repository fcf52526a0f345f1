"""Ends keys and sessions of users who lost access in Keycloak, and rights of groups that users have left.

The same as the image's ``mlflow-sso end-access``: a user is taken for gone only if a reading of the groups and a look
at the user agree, and all of them are known before the first access ends; whenever Keycloak does not answer whole,
nothing is ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection, sql
from psycopg.errors import Error as PostgresError

from mlflow_bootstrap.context import Context
from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError, RefusedError
from mlflow_bootstrap.keycloak.accounts import SERVICE_ACCOUNT, UNKNOWN, Account, Directory
from mlflow_bootstrap.keycloak.login import logged_in
from mlflow_bootstrap.postgres.login import role_account


@dataclass(frozen=True, slots=True)
class Statements:
    """How a release keeps access; see the image's ``access_rows``."""

    identities: str
    condition: str
    end: tuple[str, ...]

    @property
    def select(self) -> str:
        """Everybody who has access."""
        return f"{self._columns} FROM users WHERE {self.condition} ORDER BY username"

    @property
    def select_rights(self) -> str:
        """Everybody who has a right because of a group, and the group's name; NULL for an administrator's rights."""
        groups = "JOIN user_groups ON user_id = users.id JOIN groups ON groups.id = group_id"
        return (
            f"{self._columns}, group_name FROM users {groups} "
            f"UNION ALL {self._columns}, NULL FROM users WHERE is_admin ORDER BY username, group_name NULLS FIRST"
        )

    @property
    def _columns(self) -> str:
        return f"SELECT users.id, username, is_service_account, {self.identities} AS identities"


END_ADMINISTRATOR = "UPDATE users SET is_admin = false WHERE id = {id} AND is_admin"
END_MEMBERSHIP = (
    "DELETE FROM user_groups WHERE user_id = {id} AND group_id = (SELECT id FROM groups WHERE group_name = {group})"
)

HASHES = Statements(
    identities="NULL::text[]",
    condition="password_hash NOT LIKE 'ended:%'",
    end=(
        "UPDATE users SET password_hash = 'ended:' || extract(epoch FROM now()), is_admin = false, "
        "password_expiration = now() AT TIME ZONE 'UTC' WHERE id = {id} AND password_hash NOT LIKE 'ended:%'",
    ),
)
"""If a key is the hash of a password."""

ROWS = Statements(
    identities="(SELECT array_agg(subject::text) FROM user_identities "
    "WHERE user_id = users.id AND subject <> username)",
    condition="(is_admin OR EXISTS (SELECT FROM user_tokens WHERE user_id = users.id) OR "
    "EXISTS (SELECT FROM auth_sessions WHERE user_id = users.id))",
    end=(
        "DELETE FROM user_tokens WHERE user_id = {id}",
        "DELETE FROM auth_sessions WHERE user_id = {id}",
        END_ADMINISTRATOR,
    ),
)
"""If keys and sessions are rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one user has and is to lose: keys and sessions, or what a group gave."""

    connection: "Connection[tuple[Any, ...]]"
    statements: Sequence[str]
    account: Account
    reason: str
    group: str = ""
    """The group whose grants are meant; for keys and sessions empty."""
    depends_on: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        """The user's name."""
        return self.account.name

    @property
    def address(self) -> str:
        """``access/USER``, or ``access/USER/GROUP``."""
        return f"access/{self.user}/{self.group}" if self.group else f"access/{self.user}"

    @property
    def desired(self) -> State:
        """Nothing is compared."""
        return {}

    def read(self) -> State | None:
        """That there is some."""
        return {}

    def create(self) -> None:
        """Nothing is created here."""

    def update(self, current: State) -> None:
        """Nothing is changed here."""

    def delete(self) -> None:
        """End it."""
        values = {"id": sql.Literal(self.account.id), "group": sql.Literal(self.group)}
        try:
            with self.connection.transaction():
                for statement in self.statements:
                    self.connection.execute(sql.SQL(statement).format(**values))
        # The class only: the text of an error may quote the row.
        except PostgresError as error:
            raise RefusedError(
                f"PostgreSQL does not end the access of {self.user} ({type(error).__name__})", remedy="run it again"
            ) from None


def ended_access(context: Context) -> list[Access]:
    """The access that is to end: of those who have left first, then that of groups.

    Raises:
        BootstrapError: Keycloak or PostgreSQL does not answer, or Keycloak names no member at all.
    """
    # 3.6.0 has one key a user, which is the hash of the password; 3.17.2 has a row for each key and session.
    statements = ROWS if context.settings.tested_release.sessions_in_database else HASHES
    settings = context.settings.database
    connection = replace(role_account(context), databases=[settings.auth_name]).connect()
    try:
        # Read before Keycloak is asked, so that a user who is created meanwhile is not among the suspects.
        users = [_account(row) for row in connection.execute(sql.SQL(statements.select)).fetchall()]
        rights = [
            (_account(row), _text(row[4])) for row in connection.execute(sql.SQL(statements.select_rights)).fetchall()
        ]
    except PostgresError as error:
        raise MissingError(
            f"database {settings.auth_name} has no users yet ({type(error).__name__})", remedy="deliver MLflow first"
        ) from None
    directory = Directory(logged_in(context), context.settings)
    members = directory.members()
    gone = [
        Access(connection=connection, statements=statements.end, account=account, reason=reason)
        for account, reason in _gone(directory, members, users)
    ]
    administrators = context.settings.authentication.admin_group
    return gone + [
        Access(
            connection=connection,
            statements=[END_ADMINISTRATOR if group is None else END_MEMBERSHIP],
            account=account,
            reason=f"not in {group or administrators}",
            group="administrators" if group is None else group,
        )
        for account, group in _lost(directory, members, rights)
    ]


def _account(row: tuple[Any, ...]) -> Account:
    return Account(int(row[0]), str(row[1]), bool(row[2]), frozenset(row[3] or ()))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _gone(directory: Directory, members: frozenset[str], users: Sequence[Account]) -> list[tuple[Account, str]]:
    suspects = [user for user in users if members.isdisjoint(user.marks)]
    reasons = [(user, directory.reason_to_end(user)) for user in suspects]
    return [
        (user, reason)
        for user, reason in reasons
        # Accounts that administrators created in MLflow itself were never in the realm.
        if reason and not (user.is_local and reason == UNKNOWN and not user.name.startswith(SERVICE_ACCOUNT))
    ]


def _lost(
    directory: Directory, members: frozenset[str], rights: Sequence[tuple[Account, str | None]]
) -> list[tuple[Account, str | None]]:
    administrators = directory.settings.authentication.admin_group
    held = [(account, group) for account, group in rights if not members.isdisjoint(account.marks)]
    known = {name: directory.members_of(name) for name in {group or administrators for _, group in held}}
    suspects = [(account, group) for account, group in held if _is_outside(account, known[group or administrators])]
    groups = {account: directory.groups_of(account) for account, _ in suspects}
    return [
        (account, group)
        for account, group in suspects
        # No group at all is rather half an answer: they are members of one of ours.
        if groups[account] and (group or administrators) not in groups[account]
    ]


def _is_outside(account: Account, members: frozenset[str] | None) -> bool:
    # A group that the realm does not have can be left by no user: an administrator of MLflow may have made it.
    return members is not None and members.isdisjoint(account.marks)
