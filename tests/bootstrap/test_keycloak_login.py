"""Ways to log in to Keycloak, the least rights that suffice, and what a reader is told of a login that fails."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_proxy import FaultProxy, answers
from sso import PASSWORD, administrator, apply, context, give, lines, operator, plan

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak
from live.servers.process import free_port
from mlflow_bootstrap import keycloak
from mlflow_bootstrap.errors import BootstrapError, RefusedError, UnreachableError, UsageError

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]


def test_first_administrator_logs_in_with_password(keycloak_server: Keycloak, keycloak_settings: SettingsOf) -> None:
    settings = keycloak_settings()
    login = {"KEYCLOAK_ADMIN": keycloak_server.admin_user, "KEYCLOAK_ADMIN_PASSWORD": keycloak_server.admin_password}

    done = apply(context(keycloak_server, settings, **login))

    assert done.failures == ()
    assert lines(plan(context(keycloak_server, settings, **login))) == []


def test_realm_user_needs_only_client_and_user_rights(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str
) -> None:
    settings = keycloak_settings()
    login = operator(keycloak_server, keycloak_realm, "manage-clients", "manage-users")

    done = apply(context(keycloak_server, settings, **login))

    assert done.failures == ()
    assert lines(plan(context(keycloak_server, settings, **login))) == []


def test_service_account_of_realm_needs_no_more(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str
) -> None:
    settings = keycloak_settings()
    admin = administrator(keycloak_server, keycloak_realm)
    body = {"clientId": "deployer", "secret": PASSWORD, "publicClient": False, "serviceAccountsEnabled": True}
    key = admin.create_client(body)
    user = admin.get_client_service_account_user(key)["id"]
    give(keycloak_server, keycloak_realm, user, "manage-clients", "manage-users")
    login = {"KEYCLOAK_ADMIN_CLIENT_ID": "deployer", "KEYCLOAK_ADMIN_CLIENT_SECRET": PASSWORD}

    done = apply(context(keycloak_server, settings, KEYCLOAK_ADMIN_REALM=keycloak_realm, **login))

    assert done.failures == ()


def test_view_rights_suffice_for_verify_only(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, keycloak_realm: str
) -> None:
    right, missing = keycloak_settings(), keycloak_settings()
    apply(context(keycloak_server, right))
    login = operator(keycloak_server, keycloak_realm, "view-clients", "view-users")

    verified = plan(context(keycloak_server, right, **login))
    refused = apply(context(keycloak_server, missing, **login))

    assert lines(verified) == []
    assert {type(failure.error) for failure in refused.failures} == {RefusedError}
    assert str(refused.failures[0].error).endswith(
        "it needs manage-clients and manage-users of the realm's client realm-management"
    )


def test_private_authority_and_path_are_fine(private_keycloak: Keycloak, settings_of: SettingsOf) -> None:
    settings = settings_of(bootstrap={"keycloak_url": private_keycloak.url})
    password = {"KEYCLOAK_ADMIN_PASSWORD": private_keycloak.admin_password}
    login = {**password, "KEYCLOAK_CACERT": str(private_keycloak.certificate.ca)}

    done = apply(context(private_keycloak, settings, create_realm=True, **login))
    with pytest.raises(UnreachableError, match=r"cannot reach Keycloak at https://localhost.*SSLError.*_CACERT"):
        keycloak.resources(context(private_keycloak, settings, **password))

    assert done.failures == ()
    assert len(lines(done)) == 7


@pytest.mark.parametrize(
    ("environ", "kind", "text"),
    [
        (
            {"KEYCLOAK_ADMIN_PASSWORD": "a-guess"},
            RefusedError,
            r"refuses the login in realm master \(Invalid user",
        ),
        (
            {"KEYCLOAK_ADMIN_CLIENT_ID": "tests", "KEYCLOAK_ADMIN_CLIENT_SECRET": "a-guess"},
            RefusedError,
            r"refuses the login in realm master \(Invalid client.*KEYCLOAK_ADMIN_CLIENT_SECRET",
        ),
        (
            {"KEYCLOAK_ADMIN_PASSWORD": "a-guess", "KEYCLOAK_ADMIN_REALM": "nowhere"},
            RefusedError,
            "has no realm nowhere to log in to; check KEYCLOAK_ADMIN_REALM",
        ),
        (
            {"KEYCLOAK_ADMIN": "anna"},
            UsageError,
            "no password of Keycloak's user anna was given; set KEYCLOAK",
        ),
        (
            {"KEYCLOAK_ADMIN_CLIENT_ID": "tests"},
            UsageError,
            "no secret of Keycloak's service account was given; set KEYCLOAK_ADMIN_CLIENT_SECRET",
        ),
        (
            {"KEYCLOAK_ADMIN_PASSWORD": "a-guess", "KEYCLOAK_CACERT": "/nowhere/ca.crt"},
            UsageError,
            "there is no file /nowhere/ca.crt, which KEYCLOAK_CACERT names",
        ),
    ],
)
def test_failed_login_names_cause_without_secret(
    keycloak_server: Keycloak,
    keycloak_settings: SettingsOf,
    environ: dict[str, str],
    kind: type[BootstrapError],
    text: str,
) -> None:
    with pytest.raises(kind, match=text) as caught:
        keycloak.resources(context(keycloak_server, keycloak_settings(), **environ))

    assert "a-guess" not in str(caught.value)


def test_unreachable_keycloak_is_named_after_all_attempts(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf
) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(UnreachableError, match=f"cannot reach Keycloak at {url} .ConnectionError.; check"):
        keycloak.resources(context(keycloak_server, keycloak_settings(url=url)))


@pytest.fixture
def foreign(keycloak_server: Keycloak) -> Iterator[FaultProxy]:
    """Something that speaks HTTP and is no Keycloak."""
    with FaultProxy(keycloak_server.url) as proxy:
        proxy.spoil(answers(200, "<html>welcome</html>"), when="GET", times=100)
        yield proxy


def test_what_is_no_keycloak_is_told_from_one(
    keycloak_server: Keycloak, keycloak_settings: SettingsOf, foreign: FaultProxy
) -> None:
    done = apply(context(keycloak_server, keycloak_settings(url=foreign.url)))

    assert lines(done) == [
        f"! keycloak: what answers at {foreign.url} for realm platform team is not Keycloak; "
        "check bootstrap.keycloak_url, KEYCLOAK_HOST and KEYCLOAK_CACERT, or open a tunnel"
    ]


def test_password_may_come_from_file(keycloak_server: Keycloak, keycloak_settings: SettingsOf, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{keycloak_server.admin_password}\n")

    planned = plan(
        context(keycloak_server, keycloak_settings(), KEYCLOAK_ADMIN_PASSWORD_FILE=str(tmp_path / "password"))
    )

    assert planned.failures == ()
