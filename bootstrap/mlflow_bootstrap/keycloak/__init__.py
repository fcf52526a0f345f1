"""Keycloak: the realm's part of single sign-on, and who is in our groups."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import SecretStr

from mlflow_bootstrap.context import Context
from mlflow_bootstrap.keycloak.claim import GroupsClaim
from mlflow_bootstrap.keycloak.client import Client
from mlflow_bootstrap.keycloak.client_scope import ClientScope
from mlflow_bootstrap.keycloak.clients import browser_client, directory_client, machine_client
from mlflow_bootstrap.keycloak.connection import Api
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
from mlflow_bootstrap.keycloak.service_account import ServiceAccount
from mlflow_bootstrap.resource import Removable, Resource

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
    scope = _scope(context, api, (realm.address,))
    groups = _groups(context, api, (realm.address,))
    client = browser_client(context, api, (realm.address, scope.address))
    claim = GroupsClaim(
        api=api,
        client_id=login.client_id,
        name=login.groups_claim,
        scope=login.groups_scope,
        groups=(login.user_group, login.admin_group),
        depends_on=(client.address, scope.address),
    )
    machines = _machines(context, api, (realm.address, scope.address))
    # The claim last: it can be proved only once client, scope and mapper are right.
    return [realm, scope, *groups, client, *machines, *_directory(context, api, (realm.address,)), claim]


def _machines(context: Context, api: Api, depends_on: tuple[str, ...]) -> list[Resource]:
    login = context.settings.authentication
    if login.machine_client is None:
        return []
    client = machine_client(context, api, login.machine_client, depends_on)
    account = ServiceAccount(
        api=api,
        client_id=login.machine_client,
        host=context.settings.ingress.host,
        group=login.user_group,
        depends_on=(client.address, f"keycloak/group/{login.user_group}"),
    )
    return [client, account]


def _directory(context: Context, api: Api, depends_on: tuple[str, ...]) -> list[Resource]:
    client_id = context.settings.authentication.directory_client
    if client_id is None:
        return []
    client = directory_client(context, api, client_id, depends_on)
    return [client, DirectoryRights(api=api, client_id=client_id, depends_on=(client.address,))]


def removable(context: Context, *, data: frozenset[str]) -> Sequence[Removable]:
    """What ``destroy`` may delete of the realm, never itself or its users; a group that is in use only by name."""
    api = logged_in(context)
    # By name only: the groups' members are people, and who is in them is kept nowhere else.
    groups = [replace(group, may_have_members=group.address in data) for group in _groups(context, api, depends_on=())]
    # In the order of creation; the engine deletes from the end, so clients before the scope that they use.
    return [_scope(context, api, depends_on=()), *groups, *_clients(context, api)]


def _scope(context: Context, api: Api, depends_on: tuple[str, ...]) -> ClientScope:
    settings, login = context.settings, context.settings.authentication
    return ClientScope(
        api=api,
        name=login.groups_scope,
        claim=login.groups_claim,
        instance=settings.instance,
        clients=frozenset(client.client_id for client in _clients(context, api)),
        depends_on=depends_on,
    )


def _groups(context: Context, api: Api, depends_on: tuple[str, ...]) -> list[Group]:
    settings = context.settings
    return [
        Group(api=api, name=name, instance=settings.instance, depends_on=depends_on) for name in our_groups(settings)
    ]


def _clients(context: Context, api: Api) -> list[Client]:
    login = context.settings.authentication
    clients = [browser_client(context, api, ())]
    if login.machine_client:
        clients.append(machine_client(context, api, login.machine_client, ()))
    if login.directory_client:
        clients.append(directory_client(context, api, login.directory_client, ()))
    return clients


def existing_client_secret(context: Context, *, client_id: str) -> SecretStr | None:
    """The secret that a client of ours has already; None if realm or client do not exist.

    Raises:
        OwnershipError: others own the client.
    """
    clients = _clients(context, logged_in(context))
    return next(client for client in clients if client.client_id == client_id).existing_secret(context.adoption)
