"""Keycloak: the realm's part of single sign-on, and who is in our groups."""

from collections.abc import Sequence

from pydantic import SecretStr

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.engine import Removable, Resource
from mlflow_bootstrap.keycloak.api import Api
from mlflow_bootstrap.keycloak.claim import GroupsClaim
from mlflow_bootstrap.keycloak.client import found_client, secret_of
from mlflow_bootstrap.keycloak.client_scope import ClientScope
from mlflow_bootstrap.keycloak.clients import browser_client, directory_client, machine_client
from mlflow_bootstrap.keycloak.directory import DirectoryRights
from mlflow_bootstrap.keycloak.export import export
from mlflow_bootstrap.keycloak.group import Group
from mlflow_bootstrap.keycloak.login import logged_in
from mlflow_bootstrap.keycloak.members import (
    add_user_to_group,
    list_users,
    namesakes,
    our_groups,
    remove_user_from_group,
)
from mlflow_bootstrap.keycloak.realm import Realm
from mlflow_bootstrap.keycloak.removal import client_removal, group_removal, scope_removal
from mlflow_bootstrap.keycloak.service_account import ServiceAccount
from mlflow_bootstrap.systems import Context

__all__ = [
    "add_user_to_group",
    "existing_client_secret",
    "export",
    "list_users",
    "namesakes",
    "removable",
    "remove_user_from_group",
    "resources",
]


def resources(context: Context) -> Sequence[Resource]:
    """What this environment has in the realm, what others need first."""
    api = logged_in(context)
    login = context.settings.authentication
    realm = Realm(api=api, may_create=context.create_realm)
    scope = ClientScope(api=api, name=login.groups_scope, claim=login.groups_claim, needs=(realm.address,))
    groups = [Group(api=api, name=name, needs=(realm.address,)) for name in our_groups(context.settings)]
    client = browser_client(context, api, (realm.address, scope.address))
    claim = GroupsClaim(
        api=api,
        client_id=login.client_id,
        name=login.groups_claim,
        scope=login.groups_scope,
        groups=(login.user_group, login.admin_group),
        needs=(client.address, scope.address),
    )
    machines = _machines(context, api, (realm.address, scope.address))
    return [realm, scope, *groups, client, *machines, *_directory(context, api, (realm.address,)), claim]


def _machines(context: Context, api: Api, needs: tuple[str, ...]) -> list[Resource]:
    login = context.settings.authentication
    if login.machine_client is None:
        return []
    client = machine_client(context, api, login.machine_client, needs)
    account = ServiceAccount(
        api=api,
        client_id=login.machine_client,
        host=context.settings.ingress.host,
        group=login.user_group,
        needs=(client.address, f"keycloak/group/{login.user_group}"),
    )
    return [client, account]


def _directory(context: Context, api: Api, needs: tuple[str, ...]) -> list[Resource]:
    client_id = context.settings.authentication.directory_client
    if client_id is None:
        return []
    client = directory_client(context, api, client_id, needs)
    return [client, DirectoryRights(api=api, client_id=client_id, needs=(client.address,))]


def removable(context: Context, *, data: frozenset[str]) -> Sequence[Removable]:
    """What ``destroy`` takes away: what the bootstrap made, never the realm or its users; nothing of it is data."""
    api = logged_in(context)
    login = context.settings.authentication
    clients = _clients(context.settings)
    return [
        scope_removal(api, login.groups_scope, frozenset(clients)),
        *(group_removal(api, name) for name in our_groups(context.settings)),
        *(client_removal(api, client) for client in clients),
    ]


def _clients(settings: Settings) -> tuple[str, ...]:
    login = settings.authentication
    return tuple(name for name in (login.client_id, login.machine_client, login.directory_client) if name)


def existing_client_secret(context: Context, *, client_id: str) -> SecretStr | None:
    """The secret that the client has already, or nothing where realm or client is not there."""
    return secret_of(found_client(logged_in(context), client_id))
