"""One realm's admin API by python-keycloak: patient, and with errors in our own words."""

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from keycloak import KeycloakAdmin, KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakConnectionError, KeycloakError, KeycloakGetError, raise_error_from_response

from cdk8s_mlflow.settings.bootstrap import BootstrapSettings
from mlflow_bootstrap.errors import MissingError, UnreachableError
from mlflow_bootstrap.keycloak.answers import is_transient, translated, unreachable
from mlflow_bootstrap.retry import retrying

_FAULTS = (KeycloakError, TypeError, KeyError, ValueError)
"""The last three are python-keycloak's if an answer is not what it expects, as a proxy's page."""

P = ParamSpec("P")
T = TypeVar("T")

CREATED_BY = ("made-by", "cdk8s-mlflow")
"""Attribute of what releases created that set no mark with the instance."""

GROUPS = "cdk8s-mlflow.groups"
"""Attribute of the browsers' client: the groups that its instance uses, so that no other deletes them."""


def text_attribute(found: Mapping[str, Any], name: str) -> str | None:
    """An attribute of a client, a scope or a group, whose attributes are lists; None if it is not set."""
    value = (found.get("attributes") or {}).get(name)
    return (value[0] if value else None) if isinstance(value, list) else value or None


def made_earlier(found: Mapping[str, Any]) -> bool:
    """Whether an earlier release created it."""
    return text_attribute(found, CREATED_BY[0]) == CREATED_BY[1]


class Api:
    """The realm ``realm``; python-keycloak's requests of ``admin`` go through ``call``, ``find`` or ``create``.

    Each raises UnreachableError, RefusedError, ConflictError or MissingError; ``what`` names the thing in their text.
    """

    def __init__(self, connection: KeycloakOpenIDConnection, settings: BootstrapSettings) -> None:
        self.admin = KeycloakAdmin(connection=connection)
        self.realm = str(connection.realm_name)
        self.ids: dict[str, str] = {}
        """Keycloak's own ids of what was read, by address."""
        self._settings = settings
        self._url = str(connection.server_url).rstrip("/")
        self._retrying = retrying(settings, transient=is_transient)
        self._unreachable: UnreachableError | None = None

    def call(self, what: str, request: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer to ``request``."""
        try:
            return self._patiently(request, *args, **kwargs)
        except _FAULTS as error:
            raise translated(error, what=what, url=self._url) from None

    def find(self, what: str, request: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The same; None if the object, or its parent, does not exist."""
        try:
            return self._patiently(request, *args, **kwargs)
        except _FAULTS as error:
            if getattr(error, "response_code", None) == 404:
                return None
            raise translated(error, what=what, url=self._url) from None

    def create(self, what: str, request: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Whether ``request`` created the object; false if another client just did."""
        try:
            self._patiently(request, *args, **kwargs)
        except _FAULTS as error:
            if getattr(error, "response_code", None) == 409:
                return False
            raise translated(error, what=what, url=self._url) from None
        return True

    def wait_for(self, what: str, request: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Ask until the object exists: Keycloak calls a realm a duplicate before every request can read it."""
        patience = retrying(self._settings, transient=lambda error: isinstance(error, MissingError))
        patience(self.call, what, request, *args, **kwargs)

    def get(self, path: str, **query: str | int) -> Any:
        """GET of a path below the realm, for what python-keycloak cannot ask; sent by ``call`` or ``find`` too.

        Raises:
            TypeError: the answer is no JSON.
        """
        answer = self.admin.connection.raw_get(f"admin/realms/{self.realm}/{path}", **query)
        decoded = raise_error_from_response(answer, KeycloakGetError)
        # What python-keycloak gives for a body that is no JSON.
        if isinstance(decoded, bytes):
            raise TypeError("the answer is no JSON")
        return decoded

    def _patiently(self, request: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._unreachable:
            raise self._unreachable
        try:
            return self._retrying(request, *args, **kwargs)
        except KeycloakConnectionError as error:
            # A server that is down has cost its attempts once.
            self._unreachable = unreachable(error, url=self._url)
            raise self._unreachable from None


def merged(found: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """``found`` with our fields over it, nested mappings likewise; neither is changed."""
    result = dict(found)
    for name, value in ours.items():
        before = result.get(name)
        both = isinstance(value, Mapping) and isinstance(before, Mapping)
        result[name] = merged(before, value) if both else value  # type: ignore[arg-type]
    return result
