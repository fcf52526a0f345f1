"""Keycloak's part on a real Keycloak: planned without a write, made once, kept, and taken away again."""

from collections.abc import Callable

import pytest

from bootstrap import keycloak
from bootstrap.credentials import Credentials
from bootstrap.engine import Action, apply, destroy, plan
from bootstrap.systems import Context
from bootstrap.values import FixedValues
from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]

SECRETS = {"oidc": {"client_secret": "of-the-browser"}, "machines": {"client_secret": "of-machines"}}


def _silent(_: object) -> None:
    return None


@pytest.fixture
def context(keycloak_server: Keycloak, settings_of: SettingsOf) -> Context:
    settings = settings_of(
        authentication={"machine_client": "mlflow-machines"}, bootstrap={"keycloak_url": keycloak_server.url}
    )
    environ = {"KEYCLOAK_ADMIN_PASSWORD": keycloak_server.admin_password}
    credentials = Credentials(environ=environ, ask=None)
    return Context(settings=settings, credentials=credentials, values=FixedValues(SECRETS), create_realm=True)


def test_the_first_apply_makes_all_and_the_second_keeps_it(context: Context) -> None:
    apply(keycloak.resources(context), report=_silent)

    second = apply(keycloak.resources(context), report=_silent)

    assert second.failures == ()
    assert {change.action for change in second.changes} == {Action.KEEP}
    assert plan(keycloak.resources(context), report=_silent).pending == ()


def test_destroy_leaves_the_realm_and_a_second_one_finds_nothing(context: Context) -> None:
    apply(keycloak.resources(context), report=_silent)

    first = destroy(keycloak.removable(context, data=frozenset()), report=_silent)
    second = destroy(keycloak.removable(context, data=frozenset()), report=_silent)

    assert [change.action for change in first.changes] == [Action.DELETE] * 5
    assert [change.action for change in second.changes] == [Action.KEEP] * 5
    assert plan(keycloak.resources(context), report=_silent).changes[0].action is Action.KEEP
