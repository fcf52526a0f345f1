"""Several environments in one realm, one PostgreSQL, one MinIO and one store: none ever touches another."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from command_line import OURS, Servers
from many import WORKS, Tenant, changed
from minio.commonconfig import Tags
from objects import SECRET
from objects import admin as minio_admin
from objects import client as minio_client
from sql import execute
from sso import administrator, change_client, client, make_user, scope

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak, Minio, OpenBao, Postgres
from mlflow_bootstrap.keycloak.connection import CREATED_BY
from mlflow_bootstrap.minio.policy import document

pytestmark = pytest.mark.servers

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def servers(
    keycloak_server: Keycloak, postgres_server: Postgres, minio_server: Minio, openbao_server: OpenBao
) -> Servers:
    """The session's servers."""
    return Servers(keycloak=keycloak_server, postgres=postgres_server, minio=minio_server, openbao=openbao_server)


@pytest.fixture
def make(servers: Servers, keycloak_realm: str) -> Callable[..., Tenant]:
    """Environments of which nothing exists yet; all names follow from the instance unless a section gives one."""

    def make(instance: str, *, release: str = "3.6.0", groups: str | None = None, **sections: Any) -> Tenant:
        login = {
            "keycloak_host": "auth.example.com",
            "realm": keycloak_realm,
            "machine_client": f"{instance}-machines",
            "admin_group": f"{groups or instance}-admins",
            "user_group": f"{groups or instance}-users",
        }
        defaults: dict[str, Any] = {
            "ingress": {"host": f"{instance}.example.com"},
            "authentication": login,
            "database": OURS,
            "bootstrap": {**servers.addresses(), "attempts": 3, "backoff_seconds": 0.05, "read_timeout_seconds": 120},
        }
        for name, section in sections.items():
            defaults[name] = {**defaults.get(name, {}), **section}
        settings = Settings.model_validate({"instance": instance, "release": release, **defaults})
        return Tenant(servers=servers, settings=settings)

    return make


def _trio(make: Callable[..., Tenant]) -> list[Tenant]:
    number = next(_NUMBERS)
    releases = ("3.6.0", "3.17.2", "3.6.0")
    return [
        make(f"trio{number}-{name}", release=release, groups=f"trio{number}")
        for name, release in zip(("red", "green", "blue"), releases, strict=True)
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)], ids=["first to last", "last first"])
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


def _by_hand(tenant: Tenant) -> None:
    """Make by hand what a recipe would: everything exists, and nothing is as bootstrap creates it."""
    login, database, artifacts = tenant.settings.authentication, tenant.settings.database, tenant.settings.artifacts
    realm = administrator(tenant.servers.keycloak, login.realm)
    uris = ["https://old.example.com/*"]
    realm.create_client({"clientId": login.client_id, "redirectUris": uris, "secret": "of-the-recipe-and-long"})
    execute(
        tenant.servers.postgres,
        f"CREATE ROLE {database.role} LOGIN CREATEDB PASSWORD 'of-the-recipe'",
        f"COMMENT ON ROLE {database.role} IS 'of the recipe'",
        f"CREATE DATABASE {database.name}",
    )
    root, boss = minio_client(tenant.servers.minio), minio_admin(tenant.servers.minio)
    root.make_bucket(artifacts.bucket)
    tags = Tags.new_bucket_tags()
    tags["team"] = "data"
    root.set_bucket_tags(artifacts.bucket, tags)
    boss.policy_add(artifacts.policy, policy=document("another"))
    boss.user_add(artifacts.user, SECRET)
    path = f"secret/data/{tenant.settings.secrets.vault_prefix}/oidc"
    tenant.servers.openbao.call("POST", path, {"data": {"client_secret": "of-the-recipe-and-long"}})


def test_installation_by_hand_is_adopted_and_given_back(make: Callable[..., Tenant]) -> None:
    tenant = make("by-hand")
    _by_hand(tenant)
    before = tenant.state()
    adopted = (
        "secrets/vault/oidc",
        "keycloak/client/by-hand",
        "postgres/role/by_hand",
        "postgres/database/by_hand",
        "minio/bucket/by-hand",
        f"minio/policy/{tenant.settings.artifacts.policy}",
        "minio/user/by-hand",
    )

    planned, said = tenant.plan(), list(tenant.said)
    untouched = tenant.state()
    shown = tenant.plan(*adopted)
    applied = tenant.apply(*adopted)
    assert applied.failures == (), [str(failure) for failure in applied.failures]
    lines, works, verified = list(tenant.said), tenant.works(), tenant.plan()
    minio_client(tenant.servers.minio).remove_object("by-hand", "run/model")
    gone = tenant.destroy(*tenant.data)

    foreign = [failure.address for failure in planned.failures if failure.is_foreign]
    assert sorted(foreign) == sorted(adopted)
    assert all(f"--adopt {address}" in "\n".join(said) for address in adopted)
    assert untouched == before
    assert shown.failures == verified.failures == gone.failures == ()
    assert (works, verified.pending) == (WORKS, ())
    assert any(
        "redirectUris: [https://old.example.com/*] → [https://by-hand.example.com/callback]" in one for one in lines
    )
    left = changed([before], [tenant.state()])
    # The secrets that it had are known to no one, so role and user keep ours; Vault has one version more, and
    # PostgreSQL writes the right of PUBLIC out that was a default.
    kept = {"postgres/role", "postgres/databases", "minio/user", "openbao/oidc", "openbao/postgres", "openbao/server"}
    assert set(left) <= kept
    rights = "SELECT datname, pg_get_userbyid(datdba), has_database_privilege('pg_monitor', oid, 'CONNECT')"
    found = execute(tenant.servers.postgres, rights + " FROM pg_database")
    assert [row for row in found if row[0].startswith("by_hand")] == [("by_hand", "postgres", True)]
    assert tenant.entry("oidc")["data"] == {"client_secret": "of-the-recipe-and-long"}
    assert execute(tenant.servers.postgres, "SELECT rolcreatedb FROM pg_roles WHERE rolname = 'by_hand'") == [(True,)]


def _strip_marks(tenant: Tenant) -> None:
    """Create everything as releases without marks left it."""
    login, database, artifacts = tenant.settings.authentication, tenant.settings.database, tenant.settings.artifacts
    realm = administrator(tenant.servers.keycloak, login.realm)
    made = {CREATED_BY[0]: CREATED_BY[1], "cdk8s-mlflow.instance": "", "cdk8s-mlflow.groups": ""}
    for name in (login.client_id, str(login.machine_client)):
        change_client(realm, name, attributes=made)
    found = scope(realm, login.groups_scope)
    realm.update_client_scope(found["id"], {**found, "attributes": found["attributes"] | made})
    for name in (login.admin_group, login.user_group):
        group = realm.get_group_by_path(name)
        realm.update_group(group["id"], {**group, "attributes": {CREATED_BY[0]: [CREATED_BY[1]]}})
    execute(
        tenant.servers.postgres,
        f"COMMENT ON ROLE {database.role} IS NULL",
        *(f"COMMENT ON DATABASE {name} IS NULL" for name in (database.name, database.auth_name)),
    )
    minio_client(tenant.servers.minio).delete_bucket_tags(artifacts.bucket)
    minio_admin(tenant.servers.minio).policy_add(artifacts.policy, policy=document(artifacts.bucket))
    for entry in ("postgres", "s3", "oidc", "server", "machines"):
        path = f"secret/metadata/{tenant.settings.secrets.vault_prefix}/{entry}"
        tenant.servers.openbao.call("POST", path, {"custom_metadata": {}})


def test_earlier_environment_is_adopted_by_one_flag(make: Callable[..., Tenant]) -> None:
    tenant = make("earlier-one")
    tenant.apply()
    secrets = {entry: tenant.entry(entry)["data"] for entry in ("postgres", "s3", "oidc", "machines")}
    _strip_marks(tenant)
    before = tenant.state()

    refused, said = tenant.apply(), list(tenant.said)
    untouched = tenant.state()
    adopted, verified = tenant.apply(earlier=True), tenant.plan()
    works = tenant.works()
    gone = tenant.destroy(*tenant.data)

    assert {failure.error.exit_code for failure in refused.failures} == {1}
    assert all("take it over with --adopt-earlier" in line for line in said if line.startswith("!"))
    assert untouched == before
    assert (adopted.failures, verified.pending, verified.failures, works) == ((), (), (), WORKS)
    assert secrets == {entry: secrets[entry] for entry in secrets}
    assert gone.failures == ()
    assert tenant.state()["keycloak/client"] == make("never-made").state()["keycloak/client"]


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
