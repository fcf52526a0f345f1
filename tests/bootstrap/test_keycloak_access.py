"""Whose tokens the server accepts, and who may look users up: both follow from clients of ours."""

from collections.abc import Callable

import pytest
import requests
from keycloak import KeycloakAdmin
from sso import SECRETS, administrator, apply, client, context, destroy, lines, make_user, operator, plan

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak
from mlflow_bootstrap import keycloak

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]


@pytest.fixture(scope="module")
def settings(keycloak_settings: SettingsOf) -> Settings:
    """An environment with all three clients."""
    return keycloak_settings(directory_client="directory-of-access", user_group="access/teams/ml", admin_group="access")


@pytest.fixture
def applied(keycloak_server: Keycloak, settings: Settings) -> Settings:
    assert apply(context(keycloak_server, settings)).failures == ()
    return settings


@pytest.fixture
def admin(keycloak_server: Keycloak, keycloak_realm: str) -> KeycloakAdmin:
    return administrator(keycloak_server, keycloak_realm)


def mapper(admin: KeycloakAdmin, client_id: str) -> dict[str, object]:
    found: list[dict[str, object]] = client(admin, client_id)["protocolMappers"]
    return next(one for one in found if one["name"] == "audience")


@pytest.mark.parametrize("change", ["included.client.audience", "access.token.claim", "id.token.claim"])
def test_drift_of_audience_is_repaired(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin, change: str
) -> None:
    login = applied.authentication
    key, found = str(admin.get_client_id(login.client_id)), mapper(admin, login.client_id)
    values = {"included.client.audience": "others", "access.token.claim": "false", "id.token.claim": "true"}
    config = found["config"] | {change: values[change]}  # type: ignore[operator]
    admin.update_client_mapper(key, found["id"], found | {"config": config})

    before, done = plan(context(keycloak_server, applied)), apply(context(keycloak_server, applied))

    assert [change.address for change in before.pending] == [f"keycloak/client/{login.client_id}"]
    assert done.failures == ()
    assert lines(plan(context(keycloak_server, applied))) == []


def test_missing_audience_is_created_beside_others(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin
) -> None:
    machines = str(applied.authentication.machine_client)
    key = str(admin.get_client_id(machines))
    kind = {"protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper"}
    admin.add_mapper_to_client(key, kind | {"name": "theirs", "config": {"included.custom.audience": "theirs"}})
    admin.remove_client_mapper(key, mapper(admin, machines)["id"])

    done = apply(context(keycloak_server, applied))

    assert done.failures == ()
    assert {"audience", "theirs"} <= {one["name"] for one in client(admin, machines)["protocolMappers"]}


def test_groups_may_lie_deeper_in_tree(keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin) -> None:
    group = admin.get_group_by_path("access/teams/ml")

    added = keycloak.add_user_to_group(
        context(keycloak_server, applied), user=make_and_name(admin), group="access/teams/ml"
    )

    assert added
    assert group["path"] == "/access/teams/ml"
    assert lines(plan(context(keycloak_server, applied))) == []


def make_and_name(admin: KeycloakAdmin) -> str:
    make_user(admin, "member-of-access")
    return "member-of-access"


def test_directory_may_look_users_up_only(
    keycloak_server: Keycloak, keycloak_realm: str, applied: Settings, admin: KeycloakAdmin
) -> None:
    headers = directory_login(keycloak_server, keycloak_realm, applied)
    realm = f"{keycloak_server.url}/admin/realms/{keycloak_realm}"
    group = admin.get_group_by_path("access")["id"]
    seen = [
        requests.get(f"{realm}/{path}", headers=headers, timeout=60).status_code
        for path in ("users", "group-by-path/access", f"groups/{group}/members", f"groups/{group}/children")
    ]
    refused = [
        requests.get(
            f"{realm}/clients/{admin.get_client_id(applied.authentication.client_id)}/client-secret",
            headers=headers,
            timeout=60,
        ),
        requests.post(f"{realm}/users", json={"username": "of-the-directory"}, headers=headers, timeout=60),
        requests.post(f"{realm}/groups", json={"name": "of-the-directory"}, headers=headers, timeout=60),
        requests.delete(f"{realm}/groups/{group}", headers=headers, timeout=60),
    ]

    assert seen == [200] * 4
    assert [answer.status_code for answer in refused] == [403] * 4


def directory_login(server: Keycloak, realm: str, settings: Settings) -> dict[str, str]:
    form = {"grant_type": "client_credentials", "client_id": settings.authentication.directory_client}
    form |= SECRETS["directory"]
    url = f"{server.url}/realms/{realm}/protocol/openid-connect/token"
    token = requests.post(url, form, timeout=60).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def test_other_rights_of_directory_are_drift(
    keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin
) -> None:
    user = admin.get_client_service_account_user(str(admin.get_client_id("directory-of-access")))["id"]
    management = str(admin.get_client_id("realm-management"))
    # One right too many, and one too few.
    admin.assign_client_role(user, management, [admin.get_client_role(management, "manage-users")])
    admin.delete_client_roles_of_user(user, management, [admin.get_client_role(management, "view-users")])

    before, done = plan(context(keycloak_server, applied)), apply(context(keycloak_server, applied))

    assert [change.address for change in before.pending] == ["keycloak/rights/directory-of-access"]
    assert done.failures == ()
    assert lines(plan(context(keycloak_server, applied))) == []


def test_namesakes_deeper_in_tree_are_named(keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin) -> None:
    parent = admin.create_group({"name": "contractors-of-access"})
    # Two levels deep: a look at direct children would not find it.
    inner = admin.create_group({"name": "inner"}, parent=str(parent))
    admin.create_group({"name": "access"}, parent=str(inner))
    # It only begins with the name, so it is no namesake.
    admin.create_group({"name": "access-of-others"}, parent=str(inner))

    found = keycloak.namesakes(context(keycloak_server, applied))

    assert found == ["/contractors-of-access/inner/access"]


def test_operator_with_two_rights_suffices(
    keycloak_server: Keycloak, keycloak_realm: str, keycloak_settings: SettingsOf
) -> None:
    settings = keycloak_settings(directory_client="directory-of-an-operator")
    login = operator(keycloak_server, keycloak_realm, "manage-clients", "manage-users")

    assert apply(context(keycloak_server, settings, **login)).failures == ()


def test_destroy_deletes_directory_client(keycloak_server: Keycloak, applied: Settings, admin: KeycloakAdmin) -> None:
    done = destroy(context(keycloak_server, applied))

    assert done.failures == ()
    assert admin.get_client_id("directory-of-access") is None
