"""Keycloak's part on a real Keycloak: planned without a write, created once, and deleted."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fault_proxy import FaultProxy
from keycloak import KeycloakAdmin
from sso import (
    SECRETS,
    administrator,
    apply,
    client,
    context,
    destroy,
    lines,
    machine_claims,
    make_user,
    plan,
    scope,
    snapshot,
)

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak
from mlflow_bootstrap import keycloak
from mlflow_bootstrap.engine import Action
from mlflow_bootstrap.errors import MissingError, OwnershipError
from mlflow_bootstrap.ownership import Adoption

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]


@pytest.fixture
def proxy(keycloak_server: Keycloak) -> Iterator[FaultProxy]:
    """Counts what is sent to the server."""
    with FaultProxy(keycloak_server.url) as proxy:
        yield proxy


def test_plan_names_all_and_writes_nothing(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str, proxy: FaultProxy
) -> None:
    settings = keycloak_settings(url=proxy.url)
    admin = administrator(keycloak_server, keycloak_realm)
    before = snapshot(admin)

    planned = plan(context(keycloak_server, settings))

    login = settings.authentication
    assert lines(planned) == [
        f"+ keycloak/client-scope/{login.groups_claim}",
        f"+ keycloak/group/{login.admin_group}",
        f"+ keycloak/group/{login.user_group}",
        f"+ keycloak/client/{login.client_id}",
        f"+ keycloak/client/{login.machine_client}",
        f"+ keycloak/service-account/{login.machine_client}",
        f"+ keycloak/claim/{login.groups_claim}",
    ]
    assert proxy.writes == []
    assert snapshot(admin) == before


def test_second_apply_writes_nothing_in_eleven_requests(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str, proxy: FaultProxy
) -> None:
    settings = keycloak_settings(url=proxy.url)
    first = apply(context(keycloak_server, settings))
    before = snapshot(administrator(keycloak_server, keycloak_realm))
    proxy.clear()

    again, verified = (run(context(keycloak_server, settings)) for run in (apply, plan))

    assert first.failures == ()
    assert lines(again) == lines(verified) == []
    assert proxy.writes == []
    assert len(proxy.requests) == 22
    assert snapshot(administrator(keycloak_server, keycloak_realm)) == before


@pytest.mark.parametrize(("release", "pkce"), [("3.6.0", None), ("3.17.2", "S256")])
def test_browser_client_has_only_standard_flow(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str, release: str, pkce: str | None
) -> None:
    settings = keycloak_settings(release=release)

    apply(context(keycloak_server, settings))

    made = client(administrator(keycloak_server, keycloak_realm), settings.authentication.client_id)
    assert made["redirectUris"] == ["https://mlflow.example.com/callback"]
    assert made["webOrigins"] == ["https://mlflow.example.com"]
    assert made["attributes"]["post.logout.redirect.uris"] == "https://mlflow.example.com/oidc/ui/auth"
    assert made["attributes"].get("pkce.code.challenge.method") == pkce
    assert (made["standardFlowEnabled"], made["publicClient"]) == (True, False)
    flows = ("implicitFlowEnabled", "directAccessGrantsEnabled", "serviceAccountsEnabled")
    assert [made[flow] for flow in flows] == [False, False, False]
    assert made["secret"] == SECRETS["oidc"]["client_secret"]
    assert settings.authentication.groups_claim in made["defaultClientScopes"]


def test_machine_tokens_have_claims_of_plugin(keycloak_server: Keycloak, keycloak_settings: SettingsOf) -> None:
    settings = keycloak_settings()
    login = settings.authentication

    apply(context(keycloak_server, settings))

    claims = machine_claims(keycloak_server, settings)
    assert claims[login.groups_claim] == [f"/{login.user_group}"]
    assert login.client_id in claims["aud"]
    assert claims["typ"] == "Bearer"
    assert claims["email"] == f"{login.machine_client}@mlflow.example.com"
    assert claims["name"] == f"{login.machine_client} service account"


def test_client_scope_may_differ_from_its_claim(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str
) -> None:
    settings = keycloak_settings(groups_claim="teams", groups_scope="mlflow-staging-teams")
    login = settings.authentication

    done = apply(context(keycloak_server, settings))

    assert done.failures == ()
    assert machine_claims(keycloak_server, settings)["teams"] == [f"/{login.user_group}"]
    assert lines(plan(context(keycloak_server, settings))) == []
    destroy(context(keycloak_server, settings))
    names = [one["name"] for one in administrator(keycloak_server, keycloak_realm).get_client_scopes()]
    assert not {"teams", "mlflow-staging-teams"} & set(names)


def test_groups_of_given_member_arrive_by_their_names(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str
) -> None:
    settings = keycloak_settings(machine_client=None, user_group='mlflow "users" 100% é')
    login = settings.authentication
    apply(context(keycloak_server, settings))
    admin = administrator(keycloak_server, keycloak_realm)
    user = make_user(admin, "given-member", login.user_group, login.admin_group)

    claim = next(one for one in keycloak.resources(context(keycloak_server, settings)) if "/claim/" in one.address)

    assert isinstance(claim, keycloak.GroupsClaim)
    found = claim.claim(str(admin.get_client_id(login.client_id)), user)
    assert sorted(found) == sorted([f"/{login.user_group}", f"/{login.admin_group}"])


def test_conflicting_mapper_is_found_by_its_effect(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str
) -> None:
    settings = keycloak_settings()
    login = settings.authentication
    apply(context(keycloak_server, settings))
    _stand_in_the_way(administrator(keycloak_server, keycloak_realm), keycloak_server, settings)

    planned, done = plan(context(keycloak_server, settings)), apply(context(keycloak_server, settings))

    assert lines(planned) == [f"~ keycloak/claim/{login.groups_claim}  (missing)"]
    assert [str(failure) for failure in done.failures] == [
        f"! keycloak/claim/{login.groups_claim}: a member of {login.user_group} does not get the group in the claim "
        f"{login.groups_claim}; look for another mapper of the claim in client {login.client_id} and its other "
        "client scopes"
    ]


def _stand_in_the_way(admin: KeycloakAdmin, server: Keycloak, settings: Settings) -> None:
    """Create a mapper that overwrites the claim; Keycloak runs several of one claim in the order of random ids."""
    login = settings.authentication
    client = str(admin.get_client_id(login.client_id))
    config = {"claim.name": login.groups_claim, "claim.value": "none", "userinfo.token.claim": "true"}
    kind = {"protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper", "config": config}
    for number in range(40):
        admin.add_mapper_to_client(client, kind | {"name": f"other-{number}"})
        if plan(context(server, settings)).pending:
            return
    pytest.fail("none of 40 mappers came last")


def test_missing_realm_is_created_on_request(keycloak_server: Keycloak, settings_of: SettingsOf) -> None:
    settings = settings_of(bootstrap={"keycloak_url": keycloak_server.url})
    realm = settings.authentication.realm

    refused = apply(context(keycloak_server, settings))
    made = apply(context(keycloak_server, settings, create_realm=True))

    assert lines(refused) == [
        f"! keycloak/realm/{realm}: realm {realm} is not there; "
        "check KEYCLOAK_REALM, or have it created with --create-realm (by a login of master)"
    ]
    assert isinstance(refused.failures[0].error, MissingError)
    assert made.failures == ()
    assert made.changes[0].address == f"keycloak/realm/{realm}"
    assert lines(plan(context(keycloak_server, settings))) == []


def test_client_secret_is_found_if_client_exists(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str
) -> None:
    settings = keycloak_settings()
    login = settings.authentication
    before = keycloak.existing_client_secret(context(keycloak_server, settings), client_id=login.client_id)
    body = {"clientId": login.client_id, "secret": "of another tool", "publicClient": False}
    administrator(keycloak_server, keycloak_realm).create_client(body)

    asked = context(keycloak_server, settings)
    with pytest.raises(OwnershipError, match=f"--adopt keycloak/client/{login.client_id}"):
        keycloak.existing_client_secret(asked, client_id=login.client_id)
    adoption = Adoption(addresses=frozenset({f"keycloak/client/{login.client_id}"}))
    found = keycloak.existing_client_secret(replace(asked, adoption=adoption), client_id=login.client_id)

    assert before is None
    assert found is not None
    assert found.get_secret_value() == "of another tool"


def test_destroy_keeps_realm_and_users(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str
) -> None:
    settings = keycloak_settings()
    admin = administrator(keycloak_server, keycloak_realm)
    before = snapshot(admin)
    apply(context(keycloak_server, settings))

    first, second = (destroy(context(keycloak_server, settings)) for _ in range(2))

    assert [change.action for change in first.changes] == [Action.DELETE] * 5
    assert [change.action for change in second.changes] == [Action.KEEP] * 5
    assert snapshot(admin) == before


def test_destroy_keeps_foreign_objects_and_used_scope(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str
) -> None:
    settings = keycloak_settings(machine_client=None)
    login = settings.authentication
    admin = administrator(keycloak_server, keycloak_realm)
    admin.create_group({"name": login.user_group})
    admin.create_client({"clientId": login.client_id, "publicClient": False})
    apply(context(keycloak_server, settings))
    # Another team's client uses the scope by now, so it is no longer ours to delete.
    other = admin.create_client({"clientId": f"grafana-beside-{login.client_id}"})
    admin.add_client_optional_client_scope(other, scope(admin, login.groups_claim)["id"], {})

    done = destroy(context(keycloak_server, settings))

    assert lines(done) == [f"- keycloak/group/{login.admin_group}"]
    assert scope(admin, login.groups_claim)["name"] == login.groups_claim


def test_export_by_partial_import_lacks_only_client_scope(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str
) -> None:
    settings = keycloak_settings()
    login = settings.authentication
    admin = administrator(keycloak_server, keycloak_realm)
    exported = keycloak.export(settings)
    # Keycloak's partial import leaves client scopes out.
    admin.create_client_scope(exported["clientScopes"][0])

    admin.partial_import_realm(keycloak_realm, dict(exported))

    # The name of a kind of authentication, not a secret.
    assert "secret" not in str(exported).replace("client-secret", "")
    assert lines(plan(context(keycloak_server, settings))) == [
        f"~ keycloak/client/{login.client_id}  (secret)",
        f"~ keycloak/client/{login.machine_client}  (secret)",
    ]
