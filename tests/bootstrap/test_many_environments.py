"""Several environments in one realm, one PostgreSQL, one MinIO and one store: none ever touches another."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from many import WORKS, Tenant, changed
from sso import administrator, client, make_user, scope

pytestmark = pytest.mark.servers

_NUMBERS = itertools.count(1)


def _trio(make: Callable[..., Tenant]) -> list[Tenant]:
    number = next(_NUMBERS)
    releases = ("3.6.0", "3.17.2", "3.6.0")
    return [
        make(f"trio{number}-{name}", release=release, groups=f"trio{number}")
        for name, release in zip(("red", "green", "blue"), releases, strict=True)
    ]


@pytest.mark.parametrize(
    "order",
    [pytest.param((0, 1, 2), id="first to last"), pytest.param((2, 0, 1), id="last first", marks=pytest.mark.nightly)],
)
def test_environments_never_touch_one_another(make: Callable[..., Tenant], order: tuple[int, ...]) -> None:
    trio = _trio(make)
    tenants = [trio[index] for index in order]
    changes_of_others: list[str] = []

    def leaves_others(acting: Tenant, action: Callable[[], Any], *, among: list[Tenant]) -> None:
        others = [one for one in among if one is not acting]
        before = [one.state() for one in others]
        outcome = action()
        assert outcome.failures == (), [str(failure) for failure in outcome.failures]
        changes_of_others.extend(changed(before, [one.state() for one in others]))

    for count, tenant in enumerate(tenants):
        leaves_others(tenant, tenant.apply, among=tenants[:count])
    works = [tenant.works() for tenant in tenants]
    for tenant in tenants:
        # Bound here: a lambda reads the variables of a loop when it is called.
        for action in (tenant.plan, *(lambda entry=entry, one=tenant: one.rotate(entry) for entry in _ROTATED)):
            leaves_others(tenant, action, among=tenants)
        leaves_others(tenant, tenant.apply, among=tenants)
    pending = [tenant.plan().pending for tenant in tenants]
    still = [tenant.works() for tenant in tenants]
    first, second, last = tenants
    leaves_others(first, lambda: first.destroy(*first.data), among=[second, last])
    after_first = [tenant.works() for tenant in (second, last)]
    leaves_others(second, second.destroy, among=[last])

    assert changes_of_others == []
    assert works == still == [WORKS] * 3
    assert pending == [()] * 3
    assert after_first == [WORKS] * 2
    assert (last.works(), last.plan().pending) == (WORKS, ())


_ROTATED = ("oidc", "postgres", "s3", "server")


def _names_of(tenant: Tenant) -> dict[str, dict[str, Any]]:
    """Sections that name the very things of ``tenant``."""
    login, database, artifacts = (
        tenant.settings.authentication,
        tenant.settings.database,
        tenant.settings.artifacts,
    )
    return {
        "authentication": {"client_id": login.client_id, "machine_client": login.machine_client},
        "database": {"name": database.name, "auth_name": database.auth_name, "role": database.role},
        "artifacts": {"bucket": artifacts.bucket, "user": artifacts.user, "policy": artifacts.policy},
        "secrets": {"vault_prefix": tenant.settings.secrets.vault_prefix},
    }


def test_things_of_another_instance_are_refused(make: Callable[..., Tenant]) -> None:
    owner = make("owner-one")
    owner.apply()
    before = owner.state()
    other = make("other-one", groups="owner-one", **_names_of(owner))

    planned, said = other.plan(), list(other.said)
    applied, rotated, gone = other.apply(), other.rotate("server"), other.destroy(*other.data)

    addresses = (
        "secrets/vault/postgres",
        "keycloak/client/owner-one",
        "postgres/role/owner_one",
        "postgres/database/owner_one",
        "minio/bucket/owner-one",
        f"minio/policy/{owner.settings.artifacts.policy}",
    )
    refused = [line for line in said if line.startswith("!")]
    for address in addresses:
        assert [line for line in refused if line.startswith(f"! {address} ") and "instance owner-one" in line], refused
    assert {failure.error.exit_code for failure in (*planned.failures, *applied.failures)} == {1}
    assert [failure.is_foreign for failure in rotated.failures] == [True]
    assert any("redirectUris: [https://owner-one.example.com/callback] → " in line for line in refused)
    assert {change.action for change in gone.changes} <= {"=", "-"}
    assert owner.state() == before
    assert owner.works() == WORKS


def test_group_in_use_is_deleted_only_by_name(make: Callable[..., Tenant]) -> None:
    tenant, other = make("with-groups"), make("beside-it", groups="with-groups")
    tenant.apply()
    other.apply()
    realm = administrator(tenant.servers.keycloak, tenant.settings.authentication.realm)
    make_user(realm, "member-of-groups", "with-groups-admins")

    first, said = tenant.destroy(), list(tenant.said)
    other.destroy()
    realm.delete_user(str(realm.get_user_id("member-of-groups")))
    make_user(realm, "member-of-users", "with-groups-users")
    named = tenant.destroy("keycloak/group/with-groups-users")

    assert first.failures == named.failures == ()
    assert any(line.startswith("= keycloak/group/with-groups-admins (kept, it has members") for line in said)
    assert any(line.startswith("= keycloak/group/with-groups-users (kept, ") for line in said)
    deleted = [change.address for change in named.changes if change.action == "-"]
    assert {"keycloak/group/with-groups-users", "keycloak/group/with-groups-admins"} <= set(deleted)


@pytest.mark.parametrize("serves", [True, False], ids=["serves", "made of roles"])
def test_client_scope_of_others_is_never_changed(make: Callable[..., Tenant], serves: bool) -> None:
    name = f"teams-{'groups' if serves else 'roles'}"
    tenant = make(f"scope-{'used' if serves else 'refused'}", authentication={"groups_scope": name})
    realm = administrator(tenant.servers.keycloak, tenant.settings.authentication.realm)
    everywhere = dict.fromkeys(("id.token.claim", "access.token.claim", "userinfo.token.claim"), "true")
    kind = "oidc-group-membership-mapper" if serves else "oidc-usermodel-realm-role-mapper"
    # Keycloak adds multivalued by itself when it first uses a mapper.
    config = {"claim.name": "groups", "full.path": "true", "multivalued": "true", **everywhere}
    mapper = {"name": "theirs", "protocol": "openid-connect", "protocolMapper": kind, "config": config}
    realm.create_client_scope({"name": name, "protocol": "openid-connect", "protocolMappers": [mapper]})
    before = json.dumps(scope(realm, name), sort_keys=True)

    applied, said = tenant.apply(), list(tenant.said)
    tenant.destroy(*tenant.data)

    line = next(line for line in said if f"keycloak/client-scope/{name}" in line)
    assert json.dumps(scope(realm, name), sort_keys=True) == before
    assert (not applied.failures) is serves
    assert line.startswith("= " if serves else "! ")
    assert ("used as it is" in line) is serves
    assert ("authentication.groups_scope" in line) is not serves


def test_renamed_instance_is_refused_with_its_orphans(make: Callable[..., Tenant]) -> None:
    before = make("before-it")
    before.apply()
    renamed = make("after-it", ingress={"host": "before-it.example.com"})

    planned = renamed.plan()

    said = next(str(failure) for failure in planned.failures if "keycloak/client/after-it" in str(failure))
    assert "https://before-it.example.com/callback" in said
    assert "set instance to before-it: a renamed one orphans its clients, groups, role, databases, bucket" in said
    realm = administrator(before.servers.keycloak, before.settings.authentication.realm)
    assert client(realm, "before-it")["redirectUris"] == ["https://before-it.example.com/callback"]
