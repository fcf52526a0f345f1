"""What the tests of Keycloak share: runs of only its part, and the realm as its administrator sees it."""

import base64
import itertools
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import requests
from changes import named
from keycloak import KeycloakAdmin

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak
from mlflow_bootstrap import engine, keycloak
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import Outcome
from mlflow_bootstrap.ownership import Adoption
from mlflow_bootstrap.values import FixedValues

SECRETS = {
    # Quotes, a space and a letter outside ASCII: in a form and in JSON each is written otherwise.
    "oidc": {"client_secret": 'the-browser\'s "secret" with %, é and spaces'},
    "machines": {"client_secret": "the-secret-of-the-machines"},
    "directory": {"client_secret": "the-secret-of-the-directory"},
}


PASSWORD = 'a password with %, "quotes" and é'
"""Of operators."""

# Hashing a password takes Keycloak a good part of a second, for each login of each test.
SERVICE_ACCOUNT = {
    "KEYCLOAK_ADMIN_CLIENT_ID": "tests",
    "KEYCLOAK_ADMIN_CLIENT_SECRET": "the-secret-of-the-service-account-of-tests",
}
"""A login of master that costs no hashing of a password."""


def make_service_account(server: Keycloak) -> None:
    """Create the client of ``SERVICE_ACCOUNT``, with the rights of the first administrator."""
    admin = administrator(server)
    key = admin.create_client(
        {
            "clientId": SERVICE_ACCOUNT["KEYCLOAK_ADMIN_CLIENT_ID"],
            "secret": SERVICE_ACCOUNT["KEYCLOAK_ADMIN_CLIENT_SECRET"],
            "publicClient": False,
            "serviceAccountsEnabled": True,
        }
    )
    user = admin.get_client_service_account_user(key)
    admin.assign_realm_roles(user["id"], [admin.get_realm_role("admin")])


def administrator(server: Keycloak, realm: str = "master") -> KeycloakAdmin:
    """python-keycloak as the first administrator, for what tests do behind the bootstrap's back."""
    # Kept by server and realm: each new one logs in, which costs a hashing.
    if (server.url, realm) not in _ADMINISTRATORS:
        _ADMINISTRATORS[server.url, realm] = server.administration(realm)
    return _ADMINISTRATORS[server.url, realm]


_ADMINISTRATORS: dict[tuple[str, str], KeycloakAdmin] = {}


def context(server: Keycloak, settings: Settings, *, create_realm: bool = False, **environ: str) -> Context:
    """An administrator's view; ``environ`` replaces its login."""
    credentials = Credentials(environ=environ or SERVICE_ACCOUNT, ask=None)
    return Context(settings=settings, credentials=credentials, values=FixedValues(SECRETS), create_realm=create_realm)


def silent(_: object) -> None:
    """Discard the report."""


def plan(context: Context, adoption: Adoption = engine.NOTHING) -> Outcome:
    """Plan Keycloak's part."""
    return engine.plan(keycloak.resources(context), report=silent, adoption=adoption)


def apply(context: Context, adoption: Adoption = engine.NOTHING) -> Outcome:
    """Apply Keycloak's part."""
    return engine.apply(keycloak.resources(context), report=silent, adoption=adoption)


def destroy(context: Context) -> Outcome:
    """Take Keycloak's part away."""
    return engine.destroy(keycloak.removable(context, data=frozenset()), report=silent)


def lines(outcome: Outcome) -> list[str]:
    """What is to be done, and what failed."""
    return [named(item) for item in (*outcome.pending, *outcome.failures)]


def snapshot(admin: KeycloakAdmin) -> Mapping[str, Any]:
    """The whole realm but its secrets, and each user with its groups, in an order of its own: Keycloak's is random."""
    realm = admin.export_realm(export_clients=True, export_groups_and_role=True)
    users = {user["username"]: admin.get_user_groups(user["id"]) for user in admin.get_users()}
    return {"realm": _sorted(realm), "users": _sorted(users)}


def _sorted(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _sorted(value) for name, value in found.items()}
    # Sorted by their JSON, for dictionaries have no order.
    return sorted(map(_sorted, found), key=partial(json.dumps, sort_keys=True)) if isinstance(found, list) else found


def client(admin: KeycloakAdmin, client_id: str) -> dict[str, Any]:
    """A client as Keycloak has it."""
    return admin.get_client(str(admin.get_client_id(client_id)))


def change_client(admin: KeycloakAdmin, client_id: str, **changes: Any) -> None:
    """Set fields of a client behind the bootstrap's back; attributes are merged."""
    found = client(admin, client_id)
    changes["attributes"] = found["attributes"] | changes.get("attributes", {})
    admin.update_client(found["id"], found | changes)


def scope(admin: KeycloakAdmin, name: str) -> dict[str, Any]:
    """A client scope as Keycloak has it."""
    return dict(admin.get_client_scope_by_name(name) or {})


def change_mapper(admin: KeycloakAdmin, name: str, **config: str) -> None:
    """Set options of the mapper of the scope ``name``; underscores stand for dots."""
    found = scope(admin, name)
    mapper = next(one for one in found["protocolMappers"] if one["name"] == name)
    options = {key.replace("_", "."): value for key, value in config.items()}
    admin.update_mapper_in_client_scope(found["id"], mapper["id"], mapper | {"config": mapper["config"] | options})


def make_user(admin: KeycloakAdmin, name: str, *groups: str) -> str:
    # Without a first name the claim ``name`` would be absent, which the plugin needs.
    """A user with an e-mail, in groups of the realm's top; gives its id."""
    key = admin.create_user({"username": name, "enabled": True, "email": f"{name}@example.com", "firstName": name})
    for group in groups:
        admin.group_user_add(key, admin.get_group_by_path(group)["id"])
    return str(key)


def machine_claims(server: Keycloak, settings: Settings) -> dict[str, Any]:
    """The claims of an access token that the machines' client gets for itself."""
    login = settings.authentication
    answer = requests.post(
        f"{server.url}/realms/{login.realm}/protocol/openid-connect/token",
        {
            "grant_type": "client_credentials",
            "client_id": login.machine_client,
            "client_secret": SECRETS["machines"]["client_secret"],
        },
        timeout=60,
    )
    answer.raise_for_status()
    payload = answer.json()["access_token"].split(".")[1]
    # JWTs leave the padding out; Python ignores what is too much of it.
    return dict(json.loads(base64.urlsafe_b64decode(payload + "==")))


def give(server: Keycloak, realm: str, user: str, *roles: str) -> None:
    """Give a user of the realm roles of the client realm-management."""
    admin = administrator(server, realm)
    management = str(admin.get_client_id("realm-management"))
    admin.assign_client_role(user, management, [admin.get_client_role(management, role) for role in roles])


def operator(server: Keycloak, realm: str, *roles: str) -> dict[str, str]:
    """A new user of the realm with such roles; gives the login as ``context`` takes it."""
    name = f"operator-{next(_NUMBERS)}"
    # Keycloak asks a user without a complete profile to fill it in, and the login fails until then.
    body = {"username": name, "enabled": True, "email": f"{name}@example.com", "firstName": name, "lastName": name}
    credentials = [{"type": "password", "value": PASSWORD, "temporary": False}]
    user = administrator(server, realm).create_user(body | {"credentials": credentials})
    give(server, realm, str(user), *roles)
    return {"KEYCLOAK_ADMIN_REALM": realm, "KEYCLOAK_ADMIN": name, "KEYCLOAK_ADMIN_PASSWORD": PASSWORD}


def end_sessions(server: Keycloak, login: Mapping[str, str]) -> None:
    """Have every token expire that the operator has got so far."""
    admin = administrator(server, login["KEYCLOAK_ADMIN_REALM"])
    admin.user_logout(str(admin.get_user_id(login["KEYCLOAK_ADMIN"])))


_NUMBERS = itertools.count(1)
