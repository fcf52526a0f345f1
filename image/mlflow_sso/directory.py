"""Keycloak's directory as the directory client sees it: the members of our groups, and why a user is none.

Whatever looks like half an answer is an error, because access is ended by what is missing from an answer.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mlflow_sso.account import User, folded, id_mark
from mlflow_sso.check import identity_provider
from mlflow_sso.errors import RetryableError, TerminalError
from mlflow_sso.groups import PARENT_VARIABLE, allowed_groups, group_names
from mlflow_sso.secrets_root import SecretsRoot

PAGE = 100
SERVICE_ACCOUNT = "service-account-"
"""Begin of the user name of a client's service account (Keycloak's ``ServiceAccountConstants``)."""
RIGHTS = "run `bootstrap.py apply keycloak`: the client needs view-users of realm-management"

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The users and groups of one realm, read with an access token of the directory client."""

    realm_url: str
    """Address of the realm's admin API."""
    session: Any
    """``requests.Session`` that bears the token."""
    timeout: float

    def members(self) -> frozenset[str]:
        """Marks of the enabled members of the groups that may use the server.

        Raises ``RetryableError`` if there are none: an empty realm is a fault more likely than the truth.
        """
        found = frozenset[str]().union(
            *(self._marks_in(group, self._record(_place(group))) for group in allowed_groups())
        )
        if not found:
            raise RetryableError(
                f"Keycloak names no member of {', '.join(sorted(allowed_groups())) or 'any group'}",
                remedy="nothing was ended; look at the groups of the realm",
            )
        return found

    def members_of(self, group: str) -> frozenset[str] | None:
        """Marks of the enabled members of any group of the realm; None if it has none at that path."""
        found = self._find(_place(group))
        return None if found is None else self._marks_in(group, found)

    def reason_to_end(self, user: User) -> str | None:
        """Why ``user`` may not use the server any more; None if Keycloak says that they may."""
        found = self._records(user)
        if not found:
            return UNKNOWN
        if not any(one.get("enabled") is True for one in found):
            return "disabled"
        return None if not allowed_groups().isdisjoint(self._groups(found)) else "in none of the groups"

    def groups_of(self, user: User) -> frozenset[str]:
        """Names of the groups of ``user`` as a login would find them; none for who is disabled or unknown."""
        return self._groups(self._records(user))

    def _records(self, user: User) -> list[Record]:
        if user.identities:
            found = (self._find(f"users/{quote(one, safe='')}") for one in sorted(user.identities))
            return [one for one in found if one is not None]
        name = folded(user.name)
        field = "username" if name.startswith(SERVICE_ACCOUNT) else "email"
        # Without ``exact`` Keycloak finds every user whose name contains the text.
        return [one for one in self._list("users", **{field: name, "exact": "true"}) if _knows(one, field, name)]

    def _groups(self, records: list[Record]) -> frozenset[str]:
        paths = [
            str(group.get("path", ""))
            for one in records
            if one.get("enabled") is True
            for group in self._list(f"users/{one['id']}/groups")
        ]
        return frozenset(group_names(paths, subgroups_of=os.environ.get(PARENT_VARIABLE, "")))

    def _marks_in(self, group: str, found: Record) -> frozenset[str]:
        users = self._members_below(found["id"], deeper=group == os.environ.get(PARENT_VARIABLE))
        return frozenset(mark for user in users for mark in marks(user))

    def _members_below(self, group: str, *, deeper: bool) -> Iterator[Record]:
        # The brief form has all that ``names`` reads: enabled, username, email.
        yield from self._list(f"groups/{group}/members", briefRepresentation="true")
        if deeper:
            for child in self._list(f"groups/{group}/children"):
                yield from self._members_below(child["id"], deeper=True)

    def _list(self, path: str, **query: str) -> Iterator[Record]:
        """Every record of a list, a page at a time until one is empty: a short page is not always the last."""
        first = 0
        page: list[dict[str, Any]] = [{}]
        while page:
            page = self._get(path, **query, first=str(first), max=str(PAGE))
            if not isinstance(page, list) or not all(isinstance(one, dict) and one.get("id") for one in page):
                raise _half_answer(path)
            yield from page
            first += len(page)

    def _find(self, path: str) -> Record | None:
        """The record at ``path``, None if the realm has none there."""
        try:
            return self._record(path)
        except AbsentError:
            return None

    def _record(self, path: str) -> Record:
        found = self._get(path)
        if not isinstance(found, Mapping) or not isinstance(found.get("id"), str):
            raise _half_answer(path)
        return found

    def _get(self, path: str, **query: str) -> Any:
        # Only programs that use requests spend the time of its import.
        import requests

        url = f"{self.realm_url}/{path}"
        try:
            # A page that a proxy leads to would be taken for an answer of Keycloak's.
            answer = self.session.get(url, params=query, timeout=max(1.0, self.timeout), allow_redirects=False)
        except requests.exceptions.RequestException as error:
            raise RetryableError(
                f"cannot reach {url} ({type(error).__name__})", remedy="nothing was ended; try again"
            ) from None
        if answer.status_code in (401, 403):
            raise TerminalError(f"Keycloak refuses the directory client at {url}: {answer.status_code}", remedy=RIGHTS)
        if answer.status_code != 200:
            kind = AbsentError if answer.status_code == 404 else RetryableError
            raise kind(f"{url} answers {answer.status_code}", remedy="nothing was ended; try again")
        try:
            return answer.json()
        except requests.exceptions.JSONDecodeError:
            raise _half_answer(path) from None


class AbsentError(RetryableError):
    """The realm has nothing at a path; only of some is that an answer."""


UNKNOWN = "not in the realm"


def marks(user: Record) -> Iterator[str]:
    """How an account finds its user of the realm: by the id, by the e-mail address, a client's by its own name too."""
    if user.get("enabled") is not True:
        return
    yield id_mark(str(user["id"]))
    if isinstance(user.get("email"), str):
        yield folded(user["email"])
    if str(user.get("username", "")).startswith(SERVICE_ACCOUNT):
        yield folded(user["username"])


def log_in(root: SecretsRoot, timeout: float) -> Directory:
    """The directory of the realm that OIDC_DISCOVERY_URL names; raises ``ProgramError``."""
    import requests

    document = identity_provider.document(timeout)
    base, separator, realm = str(document.get("issuer", "")).rpartition("/realms/")
    if not separator:
        raise TerminalError("the issuer is not Keycloak's", remedy="correct OIDC_DISCOVERY_URL")
    address = identity_provider.endpoint(document, "token_endpoint")
    form = {
        "grant_type": "client_credentials",
        "client_id": root.read("directory", "DIRECTORY_CLIENT_ID"),
        "client_secret": root.read("directory", "DIRECTORY_CLIENT_SECRET"),
    }
    status, answer = identity_provider.request("POST", address, timeout, data=form)
    if status >= 500 or not isinstance(answer.get("access_token"), str | None):
        raise RetryableError(f"Keycloak answers {status} to the login", remedy="nothing was ended; try again")
    if status != 200 or not answer.get("access_token"):
        raise TerminalError(
            f"Keycloak refuses the directory client {form['client_id']}: {status} {answer.get('error')}",
            remedy="compare mlflow-directory-client with the client in the realm, or run `bootstrap.py apply keycloak`",
        )
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {answer['access_token']}"
    return Directory(realm_url=f"{base}/admin/realms/{realm}", session=session, timeout=timeout)


def _knows(user: Record, field: str, name: str) -> bool:
    return folded(str(user.get(field, ""))) == folded(name)


def _place(group: str) -> str:
    return f"group-by-path/{quote(group)}"


def _half_answer(what: str) -> RetryableError:
    return RetryableError(f"Keycloak's answer about {what} is not whole", remedy="nothing was ended; try again")
