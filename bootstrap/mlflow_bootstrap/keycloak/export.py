"""The realm's fragment as JSON, for teams whose Keycloak may not be written by a script."""

from collections.abc import Iterable, Mapping
from typing import Any

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.keycloak.audience import new_audience
from mlflow_bootstrap.keycloak.client_scope import client_scope
from mlflow_bootstrap.keycloak.clients import browser_attributes, browser_fields, machine_attributes, machine_fields
from mlflow_bootstrap.keycloak.directory import ROLES
from mlflow_bootstrap.keycloak.group import group
from mlflow_bootstrap.keycloak.members import our_groups
from mlflow_bootstrap.keycloak.service_account import service_account
from mlflow_bootstrap.ownership import MARK

BUILT_IN_SCOPES = ("acr", "basic", "email", "profile", "roles", "web-origins")
"""Default client scopes of a new realm; Keycloak passes over names that it does not know."""


def export(settings: Settings) -> Mapping[str, Any]:
    """Client scope, groups, clients and the machines' user, without a secret; asks no server.

    Keycloak's partial import takes all but the client scope, which must be there before it; a realm's import and
    keycloak-config-cli take all of it.
    """
    login = settings.authentication
    return {
        # Keycloak would otherwise end the import at the first thing that exists.
        "ifResourceExists": "SKIP",
        "clientScopes": [client_scope(login.groups_scope, login.groups_claim, settings.instance)],
        "groups": _groups(our_groups(settings), settings.instance),
        "clients": _clients(settings),
        "users": _users(settings),
    }


def _groups(paths: Iterable[str], instance: str, above: str = "") -> list[dict[str, Any]]:
    """The groups at ``paths`` below ``above``, each within those above it."""
    below: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.partition("/")
        # Two groups may share the one above them, which must not stand there twice.
        below.setdefault(name, []).extend([rest] if rest else [])
    # Keycloak 26 fails on groups without a path.
    return [
        {**group(name, instance), "path": f"{above}/{name}", **_subgroups(rest, instance, f"{above}/{name}")}
        for name, rest in below.items()
    ]


def _subgroups(paths: list[str], instance: str, above: str) -> dict[str, Any]:
    return {"subGroups": _groups(paths, instance, above)} if paths else {}


def _clients(settings: Settings) -> list[dict[str, Any]]:
    login = settings.authentication
    ours = {"protocolMappers": [new_audience(login.client_id)]}
    clients = [_client(settings, login.client_id, browser_fields(settings) | ours, browser_attributes(settings))]
    if login.machine_client:
        clients.append(_client(settings, login.machine_client, machine_fields() | ours, machine_attributes()))
    if login.directory_client:
        clients.append(_client(settings, login.directory_client, machine_fields(), machine_attributes()))
    return clients


def _client(
    settings: Settings, client_id: str, fields: Mapping[str, Any], attributes: Mapping[str, str]
) -> dict[str, Any]:
    # An empty attribute means "absent" in ours; imported, it would be set to nothing.
    present = {MARK: settings.instance, **{name: value for name, value in attributes.items() if value}}
    scopes = [*BUILT_IN_SCOPES, settings.authentication.groups_scope]
    return {"clientId": client_id, **fields, "attributes": present, "defaultClientScopes": scopes}


def _users(settings: Settings) -> list[dict[str, Any]]:
    login = settings.authentication
    users = []
    if login.machine_client:
        account = service_account(login.machine_client, settings.ingress.host)
        users.append({**_service_user(login.machine_client), **account, "groups": [f"/{login.user_group}"]})
    if login.directory_client:
        rights = {"realm-management": list(ROLES)}
        users.append({**_service_user(login.directory_client), "clientRoles": rights})
    return users


def _service_user(client_id: str) -> dict[str, Any]:
    return {"username": f"service-account-{client_id}", "enabled": True, "serviceAccountClientId": client_id}
