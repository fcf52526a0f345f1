"""Whatever is ours in the realm is corrected if it was changed, and whatever is not ours stays."""

from collections.abc import Callable
from typing import Any

import pytest
from keycloak import KeycloakAdmin
from sso import (
    administrator,
    apply,
    change_client,
    change_mapper,
    client,
    context,
    lines,
    make_user,
    plan,
    scope,
    snapshot,
)

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak
from mlflow_bootstrap.ownership import Adoption

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]


@pytest.fixture
def admin(keycloak_server: Keycloak, keycloak_realm: str) -> KeycloakAdmin:
    """Somebody else with rights in the realm."""
    return administrator(keycloak_server, keycloak_realm)


@pytest.fixture
def applied(keycloak_server: Keycloak, keycloak_settings: SettingsOf) -> Settings:
    """An environment that is as it should be."""
    settings = keycloak_settings()
    apply(context(keycloak_server, settings))
    return settings


def _seen_repaired_and_right(server: Keycloak, settings: Settings) -> list[list[str]]:
    planned, done, after = (run(context(server, settings)) for run in (plan, apply, plan))
    assert done.failures == ()
    return [lines(planned), lines(after)]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"enabled": False}, "enabled"),
        ({"redirectUris": ["https://mlflow.example.com/callback", "https://evil.example.com/*"]}, "redirectUris"),
        ({"redirectUris": ["https://mlflow.example.com/*"]}, "redirectUris"),
        ({"webOrigins": ["https://mlflow.example.com", "+"]}, "webOrigins"),
        ({"webOrigins": []}, "webOrigins"),
        ({"standardFlowEnabled": False}, "standardFlowEnabled"),
        ({"implicitFlowEnabled": True}, "implicitFlowEnabled"),
        ({"directAccessGrantsEnabled": True}, "directAccessGrantsEnabled"),
        ({"serviceAccountsEnabled": True}, "serviceAccountsEnabled"),
        ({"publicClient": True}, "publicClient, secret"),
        ({"bearerOnly": True}, "bearerOnly, secret"),
        ({"clientAuthenticatorType": "client-jwt"}, "clientAuthenticatorType"),
        ({"secret": "of another"}, "secret"),
        ({"attributes": {"post.logout.redirect.uris": "+"}}, "attributes.post.logout.redirect.uris"),
        ({"attributes": {"pkce.code.challenge.method": "S256"}}, "attributes.pkce.code.challenge.method"),
        (
            {"attributes": {"oauth2.device.authorization.grant.enabled": "true"}},
            "attributes.oauth2.device.authorization.grant.enabled",
        ),
        ({"attributes": {"oidc.ciba.grant.enabled": "true"}}, "attributes.oidc.ciba.grant.enabled"),
        ({"attributes": {"standard.token.exchange.enabled": "true"}}, "attributes.standard.token.exchange.enabled"),
        (
            {"attributes": {"oauth2.jwt.authorization.grant.enabled": "true"}},
            "attributes.oauth2.jwt.authorization.grant.enabled",
        ),
    ],
)
def test_drift_of_browsers_client_is_seen_and_repaired(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin, changes: dict[str, Any], fields: str
) -> None:
    change_client(admin, applied.authentication.client_id, **changes)

    before, after = _seen_repaired_and_right(keycloak_server, applied)

    assert before == [f"~ keycloak/client/{applied.authentication.client_id}  ({fields})"]
    assert after == []


@pytest.mark.parametrize(
    "changes",
    [
        {"standardFlowEnabled": True},
        {"directAccessGrantsEnabled": True},
        {"redirectUris": ["https://evil.example.com/*"]},
        {"webOrigins": ["*"]},
        {"secret": "of another"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_drift_of_machines_client_is_seen_and_repaired(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin, changes: dict[str, Any]
) -> None:
    machines = str(applied.authentication.machine_client)
    change_client(admin, machines, **changes)

    before, after = _seen_repaired_and_right(keycloak_server, applied)

    assert before == [f"~ keycloak/client/{machines}  ({next(iter(changes))})"]
    assert after == []


def test_disabled_service_account_is_enabled_with_group(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin
) -> None:
    machines = str(applied.authentication.machine_client)
    change_client(admin, machines, serviceAccountsEnabled=False)

    before, after = _seen_repaired_and_right(keycloak_server, applied)

    assert before == [
        f"~ keycloak/client/{machines}  (serviceAccountsEnabled)",
        f"+ keycloak/service-account/{machines}",
    ]
    assert after == []


def test_unassigned_scope_becomes_default_again(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin
) -> None:
    login = applied.authentication
    groups = scope(admin, login.groups_claim)["id"]
    clients = [str(admin.get_client_id(str(name))) for name in (login.client_id, login.machine_client)]
    for one in clients:
        admin.delete_client_default_client_scope(one, groups)
    admin.add_client_optional_client_scope(clients[0], groups, {})

    before, after = _seen_repaired_and_right(keycloak_server, applied)

    assert before == [
        f"~ keycloak/client/{name}  (scopes.{login.groups_claim})" for name in (login.client_id, login.machine_client)
    ]
    assert after == []


@pytest.mark.parametrize(
    "option",
    ["full_path", "id_token_claim", "access_token_claim", "userinfo_token_claim"],
)
def test_drift_of_mapper_is_seen_and_repaired(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin, option: str
) -> None:
    claim = applied.authentication.groups_claim
    change_mapper(admin, claim, **{option: "false"})

    before, after = _seen_repaired_and_right(keycloak_server, applied)

    assert before[0] == f"~ keycloak/client-scope/{claim}  (mapper.config.{option.replace('_', '.')})"
    assert after == []


def test_mapper_of_other_kind_is_corrected(keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin) -> None:
    claim = applied.authentication.groups_claim
    found = scope(admin, claim)
    mapper = found["protocolMappers"][0]
    changed = mapper | {"protocolMapper": "oidc-usermodel-realm-role-mapper", "config": {"claim.name": "roles"}}
    admin.update_mapper_in_client_scope(found["id"], mapper["id"], changed)

    before, after = _seen_repaired_and_right(keycloak_server, applied)

    assert before[0].startswith(f"~ keycloak/client-scope/{claim}  (mapper.protocolMapper, mapper.config.claim.name")
    assert before[1] == f"~ keycloak/claim/{claim}  (missing)"
    assert after == []


def test_deleted_objects_are_created_again(keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin) -> None:
    login = applied.authentication
    admin.delete_client_scope(scope(admin, login.groups_claim)["id"])
    admin.delete_group(admin.get_group_by_path(login.user_group)["id"])
    admin.delete_client(str(admin.get_client_id(login.client_id)))

    before, after = _seen_repaired_and_right(keycloak_server, applied)

    assert before == [
        f"+ keycloak/client-scope/{login.groups_claim}",
        f"+ keycloak/group/{login.user_group}",
        f"+ keycloak/client/{login.client_id}",
        f"~ keycloak/client/{login.machine_client}  (scopes.{login.groups_claim})",
        f"~ keycloak/service-account/{login.machine_client}  (groups.{login.user_group})",
        f"+ keycloak/claim/{login.groups_claim}",
    ]
    assert after == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": ""}, "email"),
        ({"firstName": "", "lastName": ""}, "name"),
        ({"emailVerified": False}, "emailVerified"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_drift_of_machines_user_is_seen_and_repaired(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin, changes: dict[str, Any], field: str
) -> None:
    machines = str(applied.authentication.machine_client)
    user = admin.get_client_service_account_user(str(admin.get_client_id(machines)))
    admin.update_user(user["id"], user | changes)

    before, after = _seen_repaired_and_right(keycloak_server, applied)

    assert before == [f"~ keycloak/service-account/{machines}  ({field})"]
    assert after == []


def test_what_others_set_in_our_things_survives_repair(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin
) -> None:
    login = applied.authentication
    _decorate(admin, applied)
    before = snapshot(admin)
    change_client(admin, login.client_id, directAccessGrantsEnabled=True)
    change_client(admin, str(login.machine_client), standardFlowEnabled=True)
    change_mapper(admin, login.groups_claim, full_path="false")
    user = admin.get_client_service_account_user(str(admin.get_client_id(str(login.machine_client))))
    admin.group_user_remove(user["id"], admin.get_group_by_path(login.user_group)["id"])

    done = apply(context(keycloak_server, applied))

    assert len(lines(done)) == 4
    assert done.failures == ()
    assert snapshot(admin) == before


def _decorate(admin: KeycloakAdmin, settings: Settings) -> None:
    login = settings.authentication
    key = str(admin.get_client_id(login.client_id))
    mapper = {"name": "team", "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper"}
    config = {"claim.name": "team", "claim.value": "data", "access.token.claim": "true"}
    # Keycloak itself adds an option to a mapper of groups at its first update.
    change_mapper(admin, login.groups_claim, full_path="true")
    admin.add_mapper_to_client(key, mapper | {"config": config})
    admin.add_mapper_to_client_scope(scope(admin, login.groups_claim)["id"], mapper | {"config": config})
    admin.create_client_role(key, {"name": "reviewer"})
    admin.add_client_default_client_scope(key, scope(admin, "phone")["id"], {})
    admin.delete_client_default_client_scope(key, scope(admin, "acr")["id"])
    attributes = {"access.token.lifespan": "900", "login_theme": "keycloak", "note.of.others": "kept"}
    change_client(admin, login.client_id, attributes=attributes, description="theirs", consentRequired=True)
    group = admin.get_group_by_path(login.user_group)
    admin.update_group(group["id"], group | {"attributes": group["attributes"] | {"cost-centre": ["42"]}})
    admin.create_group({"name": "interns"}, parent=group["id"])
    admin.assign_group_realm_roles(group["id"], [admin.get_realm_role("offline_access")])
    other = f"others-{login.client_id}"
    admin.create_group({"name": other})
    make_user(admin, f"member-of-{login.client_id}", login.user_group, other)
    user = admin.get_client_service_account_user(str(admin.get_client_id(str(login.machine_client))))
    admin.group_user_add(user["id"], admin.get_group_by_path(other)["id"])
    admin.update_user(user["id"], user | {"email": f"robots-{login.client_id}@example.com", "firstName": "Robots"})


def test_foreign_scope_is_adopted_with_its_mapper(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, admin: KeycloakAdmin
) -> None:
    settings = keycloak_settings()
    claim = settings.authentication.groups_claim
    config = {"claim.name": claim, "full.path": "false", "introspection.token.claim": "false"}
    mapper = {"name": "Group Membership", "protocolMapper": "oidc-group-membership-mapper", "config": config}
    body = {"name": claim, "protocol": "openid-connect", "description": "theirs"}
    admin.create_client_scope(body | {"protocolMappers": [mapper | {"protocol": "openid-connect"}]})

    before = scope(admin, claim)

    refused = apply(context(keycloak_server, settings))
    untouched = scope(admin, claim)
    adoption = Adoption(addresses=frozenset({f"keycloak/client-scope/{claim}"}))
    done = apply(context(keycloak_server, settings), adoption)

    found = scope(admin, claim)
    assert [failure.address for failure in refused.failures] == [f"keycloak/client-scope/{claim}"]
    assert untouched == before
    assert done.failures == ()
    assert [one["name"] for one in found["protocolMappers"]] == ["Group Membership"]
    assert found["protocolMappers"][0]["config"]["full.path"] == "true"
    assert found["protocolMappers"][0]["config"]["introspection.token.claim"] == "false"
    assert found["description"] == "theirs"


def test_authorization_service_of_others_stays_switched_on(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin
) -> None:
    machines = str(applied.authentication.machine_client)
    change_client(admin, machines, authorizationServicesEnabled=True)

    change_client(admin, machines, standardFlowEnabled=True)
    apply(context(keycloak_server, applied))

    assert client(admin, machines)["authorizationServicesEnabled"] is True
