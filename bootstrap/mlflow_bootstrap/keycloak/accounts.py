"""Which accounts of the permissions database may still log in, and are still in a group; as the image's ``directory``.

Whatever looks like half an answer is an error, because access is ended by what is missing from an answer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.errors import MissingError, UnreachableError
from mlflow_bootstrap.keycloak.connection import Api
from mlflow_bootstrap.keycloak.group import found_group, group_id
from mlflow_bootstrap.keycloak.members import our_groups

PAGE = 100
SERVICE_ACCOUNT = "service-account-"
UNKNOWN = "not in the realm"

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the permissions database."""

    id: int
    name: str
    is_local: bool
    """Whether an administrator of MLflow made it for a program."""
    identities: frozenset[str]
    """Ids of the realm that it is bound to; if there are none, its name is what counts."""

    @property
    def marks(self) -> frozenset[str]:
        """What ``marks`` gives for the user of the realm who has this account."""
        return frozenset(map(_id_mark, self.identities)) or frozenset((folded(self.name),))


@dataclass(frozen=True, slots=True)
class Directory:
    """Users and groups of the environment's realm."""

    api: Api
    settings: Settings

    def members(self) -> frozenset[str]:
        """Marks of everybody who may log in.

        Raises:
            UnreachableError: there is no member: rather a wrong realm or a lost right than a company without users.
        """
        found = {mark for group in our_groups(self.settings) for mark in self._marks_in(group)}
        if not found:
            raise UnreachableError(
                f"Keycloak names no member of {', '.join(our_groups(self.settings))}",
                remedy="nothing was ended; look at the groups of the realm",
            )
        return frozenset(found)

    def members_of(self, group: str) -> frozenset[str] | None:
        """Marks of the members of any group of the realm; None if it has none at that path."""
        return None if found_group(self.api, group) is None else frozenset(self._marks_in(group))

    def reason_to_end(self, account: Account) -> str | None:
        """Why ``account`` may not be used any more; None if Keycloak says that it may."""
        found = self._records(account)
        if not found:
            return UNKNOWN
        if not any(one.get("enabled") is True for one in found):
            return "disabled"
        return None if not self._groups(found).isdisjoint(our_groups(self.settings)) else "in none of the groups"

    def groups_of(self, account: Account) -> frozenset[str]:
        """Names of its groups as a login would find them; none for who is disabled or unknown."""
        return self._groups(self._records(account))

    def _marks_in(self, group: str) -> Iterator[str]:
        login = self.settings.authentication
        deeper = login.include_subgroups and group == login.user_group
        for user in self._below(group_id(self.api, group), deeper=deeper):
            yield from marks(user)

    def _below(self, group: str, *, deeper: bool) -> Iterator[Record]:
        # Keycloak lists direct members only, not those of groups within.
        yield from self._list(f"groups/{group}/members")
        for child in self._list(f"groups/{group}/children") if deeper else ():
            yield from self._below(child["id"], deeper=True)

    def _records(self, account: Account) -> list[Record]:
        if account.identities:
            return [one for key in sorted(account.identities) for one in self._user(key)]
        name = folded(account.name)
        # A service account logs in by its name, a person by the e-mail, which is the plugin's user name.
        field = "username" if name.startswith(SERVICE_ACCOUNT) else "email"
        return [
            user
            for user in self._list("users", **{field: name, "exact": "true"})
            # Compared once more, since the answer decides whose access ends.
            if folded(str(user.get(field, ""))) == name
        ]

    def _user(self, key: str) -> Iterator[Record]:
        try:
            found = self.api.call("users", self.api.get, f"users/{quote(key, safe='')}")
        except MissingError:
            return
        if not isinstance(found, dict) or not found.get("id"):
            raise _half_answer("users")
        yield found

    def _groups(self, records: list[Record]) -> frozenset[str]:
        login = self.settings.authentication
        paths = [
            str(group.get("path", ""))
            for one in records
            if one.get("enabled") is True
            for group in self._list(f"users/{one['id']}/groups")
        ]
        names = {path[1:] for path in paths if path.startswith("/")}
        below = login.include_subgroups and any(name.startswith(f"{login.user_group}/") for name in names)
        return frozenset(names | ({login.user_group} if below else set()))

    def _list(self, path: str, **query: str) -> Iterator[Record]:
        first = 0
        page: list[dict[str, Any]] = [{}]
        while page:
            page = self.api.call(path.split("/")[0], self.api.get, path, **query, first=first, max=PAGE)
            if not isinstance(page, list) or not all(isinstance(one, dict) and one.get("id") for one in page):
                raise _half_answer(path)
            yield from page
            first += len(page)


def marks(user: Record) -> Iterator[str]:
    """How an account finds its user of the realm: by the id, by the e-mail address, a client's by its own name too."""
    if user.get("enabled") is not True:
        return
    yield _id_mark(str(user["id"]))
    if isinstance(user.get("email"), str):
        yield folded(user["email"])
    if str(user.get("username", "")).startswith(SERVICE_ACCOUNT):
        yield folded(user["username"])


def folded(name: str) -> str:
    """A user's name as the plugins store it."""
    return name.strip().lower()


def _id_mark(key: str) -> str:
    return f"id:{key}"


def _half_answer(what: str) -> UnreachableError:
    return UnreachableError(f"Keycloak's answer about {what} is not whole", remedy="nothing was ended; try again")
