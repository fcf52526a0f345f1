"""Users go in and out of our groups, by name or e-mail."""

from collections.abc import Callable

import pytest
from sso import administrator, apply, context, make_user

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak
from mlflow_bootstrap.errors import MissingError, UsageError
from mlflow_bootstrap.keycloak import add_user_to_group, list_users, remove_user_from_group
from mlflow_bootstrap.members import User

pytestmark = pytest.mark.servers


@pytest.fixture
def applied(keycloak_server: Keycloak, keycloak_settings: Callable[..., Settings]) -> Settings:
    """An environment with both groups, and no machines."""
    settings = keycloak_settings(machine_client=None)
    apply(context(keycloak_server, settings))
    return settings


def test_user_is_added_and_removed_once(keycloak_server: Keycloak, keycloak_realm: str, applied: Settings) -> None:
    admin = administrator(keycloak_server, keycloak_realm)
    ours, view = applied.authentication, context(keycloak_server, applied)
    admin.create_group({"name": f"others-of-{ours.client_id}"})
    key = make_user(admin, f"anna-of-{ours.client_id}", f"others-of-{ours.client_id}")
    name, email = f"anna-of-{ours.client_id}", f"anna-of-{ours.client_id}@example.com"

    added = [add_user_to_group(view, user=user, group=ours.admin_group) for user in (email, name)]
    listed = list_users(view)
    removed = [remove_user_from_group(view, user=user, group=ours.admin_group) for user in (name, email)]

    assert added == [True, False]
    assert listed == [User(name=name, email=email, enabled=True, groups=(ours.admin_group,))]
    assert removed == [True, False]
    assert [group["name"] for group in admin.get_user_groups(key)] == [f"others-of-{ours.client_id}"]
    assert list_users(view) == []


def test_user_of_both_groups_is_listed_once(keycloak_server: Keycloak, keycloak_realm: str, applied: Settings) -> None:
    ours = applied.authentication
    admin = administrator(keycloak_server, keycloak_realm)
    for name in ("zoe", "bert"):
        make_user(admin, f"{name}-of-{ours.client_id}", ours.user_group, ours.admin_group)

    listed = list_users(context(keycloak_server, applied))

    assert [user.name for user in listed] == [f"bert-of-{ours.client_id}", f"zoe-of-{ours.client_id}"]
    assert [user.groups for user in listed] == [(ours.admin_group, ours.user_group)] * 2


def test_many_members_come_in_pages(
    keycloak_server: Keycloak, keycloak_realm: str, applied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    ours, said = applied.authentication, list[str]()
    admin = administrator(keycloak_server, keycloak_realm)
    names = [f"{name}-of-{ours.client_id}" for name in ("anna", "bert", "carl", "dora")]
    for name in names:
        make_user(admin, name, ours.user_group)
    # Four members are then two full pages; only an empty third one ends the list.
    monkeypatch.setattr("mlflow_bootstrap.keycloak.members.PAGE", 2)

    # when
    listed = list_users(context(keycloak_server, applied), progress=said.append)

    # then
    assert [user.name for user in listed] == names
    assert said == [f"{count} members of {ours.user_group} read" for count in (2, 4)]


def test_unknown_user_and_group_of_others_are_named(keycloak_server: Keycloak, applied: Settings) -> None:
    view, group = context(keycloak_server, applied), applied.authentication.user_group

    with pytest.raises(MissingError, match="there is no user unknown in realm platform team; give the exact name"):
        add_user_to_group(view, user="unknown", group=group)
    with pytest.raises(UsageError, match="grafana is no group of this environment; name one of"):
        add_user_to_group(view, user="unknown", group="grafana")


def test_missing_groups_are_named(keycloak_server: Keycloak, keycloak_settings: Callable[..., Settings]) -> None:
    settings = keycloak_settings()

    with pytest.raises(MissingError, match=r"group admins-\d+ is not there; run `bootstrap.py keycloak`"):
        list_users(context(keycloak_server, settings))
