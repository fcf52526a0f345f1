"""Users in and out of our groups."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.errors import MissingError, UsageError
from mlflow_bootstrap.keycloak.connection import Api
from mlflow_bootstrap.keycloak.group import group_id
from mlflow_bootstrap.keycloak.login import logged_in
from mlflow_bootstrap.members import User

PAGE = 1000
"""Members in one request; python-keycloak asks for a hundred."""


def add_user_to_group(context: Context, *, user: str, group: str) -> bool:
    """Put the user (by name or e-mail) into one of our groups; false if it already was a member.

    Raises:
        MissingError: no such user.
    """
    return _changed(context, user, group, wanted=True)


def remove_user_from_group(context: Context, *, user: str, group: str) -> bool:
    """Remove the user from one of our groups; false if it was not a member.

    Raises:
        MissingError: no such user.
    """
    return _changed(context, user, group, wanted=False)


def list_users(context: Context, *, progress: Callable[[str], None] | None = None) -> list[User]:
    """Members of our groups, by name; ``progress`` is told of each page after which another is read."""
    api = logged_in(context)
    users: dict[str, dict[str, Any]] = {}
    groups: dict[str, list[str]] = {}
    for group in our_groups(context.settings):
        for user in _members(api, group, progress):
            users[user["id"]] = user
            groups.setdefault(user["id"], []).append(group)
    return sorted((_user(user, groups[key]) for key, user in users.items()), key=lambda user: user.name)


def _members(api: Api, group: str, progress: Callable[[str], None] | None) -> Iterator[dict[str, Any]]:
    path, first = f"groups/{group_id(api, group)}/members", 0
    while True:
        page = api.call(f"the members of {group}", api.get, path, first=first, max=PAGE)
        yield from page
        # Saves the request for an empty page.
        if len(page) < PAGE:
            return
        first += len(page)
        if progress:
            progress(f"{first} members of {group} read")


def namesakes(context: Context) -> list[str]:
    """Paths of other groups of the realm that bear the name of one of ours; they are different groups."""
    api, ours = logged_in(context), our_groups(context.settings)
    names = {path.rpartition("/")[2] for path in ours}
    found = [
        path
        for name in sorted(names)
        for path in _paths(api.call(f"groups called {name}", api.get, "groups", search=name, exact="true"))
        # The answer also has the groups above a match.
        if path.rpartition("/")[2] == name
    ]
    return sorted({path for path in found if path.removeprefix("/") not in ours})


def _paths(groups: Iterable[dict[str, Any]]) -> Iterable[str]:
    for group in groups:
        yield group["path"]
        yield from _paths(group.get("subGroups") or [])


def our_groups(settings: Settings) -> tuple[str, ...]:
    """Both groups, or the one that is both."""
    login = settings.authentication
    return tuple(dict.fromkeys((login.admin_group, login.user_group)))


def _changed(context: Context, user: str, group: str, *, wanted: bool) -> bool:
    _check(group, our_groups(context.settings))
    api = logged_in(context)
    key, found = group_id(api, group), _found(api, user)
    groups = api.call(f"the groups of {user}", api.admin.get_user_groups, found["id"])
    if any(one["id"] == key for one in groups) is wanted:
        return False
    request = api.admin.group_user_add if wanted else api.admin.group_user_remove
    api.call(f"group {group} of {user}", request, found["id"], key)
    return True


def _check(group: str, ours: Iterable[str]) -> None:
    if group not in ours:
        raise UsageError(f"{group} is no group of this environment", remedy=f"name one of {', '.join(ours)}")


def _found(api: Api, user: str) -> dict[str, Any]:
    # The name first: it is unique in a realm, an e-mail need not be.
    for field in ("username", "email"):
        query = {field: user, "exact": "true"}
        found: list[dict[str, Any]] = api.call(f"user {user}", api.admin.get_users, query)
        if len(found) > 1:
            raise UsageError(f"several users have the {field} {user}", remedy="give the user's name")
        if found:
            return found[0]
    raise MissingError(
        f"there is no user {user} in realm {api.realm}",
        remedy="give the exact name or e-mail, or create the user first",
    )


def _user(user: dict[str, Any], groups: list[str]) -> User:
    return User(name=user["username"], email=user.get("email"), enabled=user.get("enabled", True), groups=tuple(groups))
