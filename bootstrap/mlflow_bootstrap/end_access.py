"""Ends keys and sessions of users who lost access in Keycloak; the same as the image's ``mlflow-sso end-access``.

A user is taken for gone only if a reading of the groups and a look at the user agree, and all of them are known before
the first access ends; whenever Keycloak does not answer whole, nothing is ended.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection, sql
from psycopg.errors import Error as PostgresError

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError, RefusedError, UnreachableError
from mlflow_bootstrap.keycloak.connection import Api
from mlflow_bootstrap.keycloak.group import group_id
from mlflow_bootstrap.keycloak.login import logged_in
from mlflow_bootstrap.keycloak.members import our_groups
from mlflow_bootstrap.postgres.login import role_account

PAGE = 100
SERVICE_ACCOUNT = "service-account-"
UNKNOWN = "not in the realm"

HASHES = (
    "SELECT id, username, is_service_account FROM users WHERE password_hash NOT LIKE 'ended:%' ORDER BY username",
    (
        "UPDATE users SET password_hash = 'ended:' || extract(epoch FROM now()), is_admin = false, "
        "password_expiration = now() AT TIME ZONE 'UTC' WHERE id = {id} AND password_hash NOT LIKE 'ended:%'",
    ),
)
"""Who has access, and what ends it, if a key is the hash of a password; see the image's ``access_rows``."""

ROWS = (
    "SELECT id, username, is_service_account FROM users WHERE "
    "is_admin OR EXISTS (SELECT FROM user_tokens WHERE user_id = users.id) OR "
    "EXISTS (SELECT FROM auth_sessions WHERE user_id = users.id) ORDER BY username",
    (
        "DELETE FROM user_tokens WHERE user_id = {id}",
        "DELETE FROM auth_sessions WHERE user_id = {id}",
        "UPDATE users SET is_admin = false WHERE id = {id} AND is_admin",
    ),
)
"""The same where keys and sessions are rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Keys and sessions of one user who has left."""

    connection: "Connection[tuple[Any, ...]]"
    statements: Sequence[str]
    number: int
    user: str
    reason: str
    depends_on: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``access/USER``."""
        return f"access/{self.user}"

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
        try:
            with self.connection.transaction():
                for statement in self.statements:
                    self.connection.execute(sql.SQL(statement).format(id=sql.Literal(self.number)))
        # The class only: the text of an error may quote the row.
        except PostgresError as error:
            raise RefusedError(
                f"PostgreSQL does not end the access of {self.user} ({type(error).__name__})", remedy="run it again"
            ) from None


def ended_access(context: Context) -> list[Access]:
    """The access that is to end.

    Raises:
        BootstrapError: Keycloak or PostgreSQL does not answer, or Keycloak names no member at all.
    """
    # 3.6.0 has one key a user, which is the hash of the password; 3.17.2 has a row for each key and session.
    select, statements = ROWS if context.settings.tested_release.sessions_in_database else HASHES
    settings = context.settings.database
    connection = replace(role_account(context), databases=[settings.auth_name]).connect()
    try:
        # Read before Keycloak is asked, so that a user who is created meanwhile is not among the suspects.
        users = connection.execute(sql.SQL(select)).fetchall()
    except PostgresError as error:
        raise MissingError(
            f"database {settings.auth_name} has no users yet ({type(error).__name__})", remedy="deliver MLflow first"
        ) from None
    gone = _gone(logged_in(context), context.settings, [(int(str(row[0])), str(row[1]), bool(row[2])) for row in users])
    return [
        Access(connection=connection, statements=statements, number=number, user=name, reason=reason)
        for number, name, reason in gone
    ]


def _gone(api: Api, settings: Settings, users: Sequence[tuple[int, str, bool]]) -> list[tuple[int, str, str]]:
    members = {
        name for group in our_groups(settings) for user in _members(api, settings, group) for name in _names(user)
    }
    # An empty answer is rather a wrong realm or a lost right than a company without users.
    if not members:
        raise UnreachableError(
            f"Keycloak names no member of {', '.join(our_groups(settings))}",
            remedy="nothing was ended; look at the groups of the realm",
        )
    suspects = [user for user in users if _folded(user[1]) not in members]
    reasons = [(number, name, local, _reason(api, settings, _folded(name))) for number, name, local in suspects]
    return [
        (number, name, reason)
        for number, name, local, reason in reasons
        # Accounts that administrators created in MLflow itself were never in the realm.
        if reason and not (local and reason == UNKNOWN and not name.startswith(SERVICE_ACCOUNT))
    ]


def _members(api: Api, settings: Settings, group: str) -> Iterator[Mapping[str, Any]]:
    login = settings.authentication
    yield from _below(api, group_id(api, group), deeper=login.include_subgroups and group == login.user_group)


def _below(api: Api, group: str, *, deeper: bool) -> Iterator[Mapping[str, Any]]:
    # Keycloak lists direct members only, not those of groups within.
    yield from _list(api, f"groups/{group}/members")
    for child in _list(api, f"groups/{group}/children") if deeper else ():
        yield from _below(api, child["id"], deeper=True)


def _reason(api: Api, settings: Settings, name: str) -> str | None:
    # A service account logs in by its name, a person by the e-mail, which is the plugin's user name.
    field = "username" if name.startswith(SERVICE_ACCOUNT) else "email"
    found = [
        user
        for user in _list(api, "users", **{field: name, "exact": "true"})
        # Compared once more, since the answer decides whose access ends.
        if _folded(str(user.get(field, ""))) == name
    ]
    if not found:
        return UNKNOWN
    enabled = [user for user in found if user.get("enabled") is True]
    if not enabled:
        return "disabled"
    paths = [str(group.get("path", "")) for user in enabled for group in _list(api, f"users/{user['id']}/groups")]
    return None if any(_is_ours(settings, path) for path in paths) else "in none of the groups"


def _is_ours(settings: Settings, path: str) -> bool:
    login = settings.authentication
    below = login.include_subgroups and path.startswith(f"/{login.user_group}/")
    return below or path in {f"/{group}" for group in our_groups(settings)}


def _list(api: Api, path: str, **query: str) -> Iterator[Mapping[str, Any]]:
    first = 0
    page: list[dict[str, Any]] = [{}]
    while page:
        page = api.call(path.split("/")[0], api.get, path, **query, first=first, max=PAGE)
        if not isinstance(page, list) or not all(isinstance(one, dict) and one.get("id") for one in page):
            raise UnreachableError(
                f"Keycloak's answer about {path} is not whole", remedy="nothing was ended; try again"
            )
        yield from page
        first += len(page)


def _names(user: Mapping[str, Any]) -> Iterator[str]:
    if user.get("enabled") is True:
        if isinstance(user.get("email"), str):
            yield _folded(user["email"])
        if str(user.get("username", "")).startswith(SERVICE_ACCOUNT):
            yield _folded(user["username"])


def _folded(name: str) -> str:
    return name.strip().lower()
