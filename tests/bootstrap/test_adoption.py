"""What exists already, by hand or of a release without marks, is taken over when asked, and given back."""

from collections.abc import Callable

import pytest
from many import WORKS, Tenant, changed
from minio.commonconfig import Tags
from objects import SECRET
from objects import admin as minio_admin
from objects import client as minio_client
from sql import execute
from sso import administrator, change_client, scope

from mlflow_bootstrap.keycloak.connection import CREATED_BY
from mlflow_bootstrap.minio.policy import document

pytestmark = pytest.mark.servers


def _by_hand(tenant: Tenant) -> None:
    """Make by hand what a recipe would: everything exists, and nothing is as bootstrap creates it."""
    login, database, artifacts = tenant.settings.authentication, tenant.settings.database, tenant.settings.artifacts
    realm = administrator(tenant.servers.keycloak, login.realm)
    uris = ["https://old.example.com/*"]
    # A wildcard, no PKCE, no marks: as recipes on the web have it.
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
    # A tag of others, which bootstrap has to keep beside its own.
    tags["team"] = "data"
    root.set_bucket_tags(artifacts.bucket, tags)
    boss.policy_add(artifacts.policy, policy=document("another"))
    boss.user_add(artifacts.user, SECRET)
    path = f"secret/data/{tenant.settings.secrets.vault_prefix}/oidc"
    tenant.servers.openbao.call("POST", path, {"data": {"client_secret": "of-the-recipe-and-long"}})


_MADE_BY_HAND = (
    "secrets/vault/oidc",
    "keycloak/client/by-hand",
    "postgres/role/by_hand",
    "postgres/database/by_hand",
    "minio/bucket/by-hand",
    "minio/user/by-hand",
)


def test_installation_by_hand_is_adopted_and_given_back(make: Callable[..., Tenant]) -> None:
    tenant = make("by-hand")
    _by_hand(tenant)
    # Three states: before, after a refused plan, and after giving back all that was adopted.
    before = tenant.state()
    adopted = (*_MADE_BY_HAND, f"minio/policy/{tenant.settings.artifacts.policy}")

    planned, said = tenant.plan(), list(tenant.said)
    untouched = tenant.state()
    shown = tenant.plan(*adopted)
    applied = tenant.apply(*adopted)
    assert applied.failures == (), [str(failure) for failure in applied.failures]
    lines, works, verified = list(tenant.said), tenant.works(), tenant.plan()
    # It is what ``works`` has put there, and the states before and after are compared.
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
    # The marks of a client lie in its attributes, where an empty text deletes one.
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


# Releases before the marks left things with an attribute of their own only, which proves the origin.
def test_earlier_environment_is_adopted_by_one_flag(make: Callable[..., Tenant]) -> None:
    tenant = make("earlier-one")
    tenant.apply()
    secrets = {entry: tenant.entry(entry)["data"] for entry in ("postgres", "s3", "oidc", "machines")}
    _strip_marks(tenant)
    before = tenant.state()

    refused, said = tenant.apply(), list(tenant.said)
    untouched = tenant.state()
    adopted, verified = tenant.apply(earlier=True), tenant.plan()
    works, kept = tenant.works(), {entry: tenant.entry(entry)["data"] for entry in secrets}
    gone = tenant.destroy(*tenant.data)

    assert {failure.error.exit_code for failure in refused.failures} == {1}
    assert all("take it over with --adopt-earlier" in line for line in said if line.startswith("!"))
    assert untouched == before
    assert (adopted.failures, verified.pending, verified.failures, works) == ((), (), (), WORKS)
    assert kept == secrets
    assert gone.failures == ()
    assert tenant.state()["keycloak/client"] == make("never-made").state()["keycloak/client"]
