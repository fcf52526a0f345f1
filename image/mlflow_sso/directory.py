"""Keycloak's directory as the directory client sees it: the members of our groups, and why a user is none.

Whatever looks like half an answer is an error, because access is ended by what is missing from an answer.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mlflow_sso.check import identity_provider
from mlflow_sso.errors import RetryableError, TerminalError
from mlflow_sso.groups import PARENT_VARIABLE, allowed_groups
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
        """Names by which MLflow knows the enabled members of the groups that may use the server.

        Raises ``RetryableError`` if there are none: an empty realm is a fault more likely than the truth.
        """
        found = {name for group in sorted(allowed_groups()) for user in self._members_of(group) for name in names(user)}
        if not found:
            raise RetryableError(
                f"Keycloak names no member of {', '.join(sorted(allowed_groups())) or 'any group'}",
                remedy="nothing was ended; look at the groups of the realm",
            )
        return frozenset(found)

    def reason_to_end(self, name: str) -> str | None:
        """Why the user ``name`` may not use the server any more; None if Keycloak says that they may."""
        field = "username" if name.startswith(SERVICE_ACCOUNT) else "email"
        # Without ``exact`` Keycloak finds every user whose name contains the text.
        users = [user for user in self._list("users", **{field: name, "exact": "true"}) if _knows(user, field, name)]
        if not users:
            return UNKNOWN
        if not any(user.get("enabled") is True for user in users):
            return "disabled"
        paths = (path for user in users if user.get("enabled") is True for path in self._paths_of(user))
        return None if any(_is_allowed(path) for path in paths) else "in none of the groups"

    def _members_of(self, group: str) -> Iterator[Record]:
        found = self._get(f"group-by-path/{quote(group)}")
        if not isinstance(found, Mapping) or not isinstance(found.get("id"), str):
            raise _half_answer(f"group {group}")
        yield from self._members_below(found["id"], deeper=group == os.environ.get(PARENT_VARIABLE))

    def _members_below(self, group: str, *, deeper: bool) -> Iterator[Record]:
        # The brief form has all that ``names`` reads: enabled, username, email.
        yield from self._list(f"groups/{group}/members", briefRepresentation="true")
        if deeper:
            for child in self._list(f"groups/{group}/children"):
                yield from self._members_below(child["id"], deeper=True)

    def _paths_of(self, user: Record) -> list[str]:
        return [str(group.get("path", "")) for group in self._list(f"users/{user['id']}/groups")]

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
            raise RetryableError(f"{url} answers {answer.status_code}", remedy="nothing was ended; try again")
        try:
            return answer.json()
        except requests.exceptions.JSONDecodeError:
            raise _half_answer(path) from None


UNKNOWN = "not in the realm"


def names(user: Record) -> Iterator[str]:
    """What MLflow may call a user of the realm: the e-mail address, and a service account by its own name too."""
    if user.get("enabled") is not True:
        return
    if isinstance(user.get("email"), str):
        yield folded(user["email"])
    if str(user.get("username", "")).startswith(SERVICE_ACCOUNT):
        yield folded(user["username"])


def folded(name: str) -> str:
    """A user's name as the plugins store it."""
    return name.strip().lower()


def log_in(root: SecretsRoot, timeout: float) -> Directory:
    """The directory of the realm that OIDC_DISCOVERY_URL names; raises ``ProgramError``."""
    import requests

    document = identity_provider.document(timeout)
    base, separator, realm = str(document.get("issuer", "")).rpartition("/realms/")
    if not separator:
        raise TerminalError("the issuer is not Keycloak's", remedy="correct OIDC_DISCOVERY_URL")
    form = {
        "grant_type": "client_credentials",
        "client_id": root.read("directory", "DIRECTORY_CLIENT_ID"),
        "client_secret": root.read("directory", "DIRECTORY_CLIENT_SECRET"),
    }
    status, answer = identity_provider.request("POST", document["token_endpoint"], timeout, data=form)
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


def _is_allowed(path: str) -> bool:
    from mlflow_sso.groups import group_names

    return not allowed_groups().isdisjoint(group_names([path], subgroups_of=os.environ.get(PARENT_VARIABLE, "")))


def _half_answer(what: str) -> RetryableError:
    return RetryableError(f"Keycloak's answer about {what} is not whole", remedy="nothing was ended; try again")
