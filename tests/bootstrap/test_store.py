"""The secret store on a real OpenBao: values are created once, kept, and never overwritten by another run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from urllib.error import HTTPError

import pytest
from changes import named
from vault import data, entries, opened, unheard

from cdk8s_mlflow.settings import Settings
from live.servers import OpenBao
from live.servers.process import free_port
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import Action, apply, destroy, plan
from mlflow_bootstrap.errors import ConflictError, MissingError, RefusedError, UnreachableError, UsageError
from mlflow_bootstrap.ownership import Adoption
from mlflow_bootstrap.rotation import renew
from mlflow_bootstrap.run import Run
from mlflow_bootstrap.store.vault import VaultStore

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
ENOUGH = Path(__file__).parents[2] / "docs" / "bootstrap-vault-policy.hcl"


def test_plan_on_empty_store_writes_nothing(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of()

    outcome = plan(entries(opened(openbao_server, settings), settings), report=unheard)

    assert [change.action for change in outcome.changes] == [Action.CREATE] * 5
    with pytest.raises(HTTPError, match="404"):
        openbao_server.call("GET", f"secret/metadata/{settings.secrets.vault_prefix}?list=true")


def test_second_apply_keeps_every_value_and_version(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of()
    store = opened(openbao_server, settings)
    apply(entries(store, settings), report=unheard)
    before = {entry: data(openbao_server, settings, entry) for entry in ("postgres", "s3", "oidc", "server")}

    outcome = apply(entries(store, settings), report=unheard)

    assert outcome.pending == ()
    assert before == {entry: data(openbao_server, settings, entry) for entry in before}
    assert before["postgres"]["data"]["username"] == settings.database.role
    assert len(before["s3"]["data"]["secretkey"]) == 40


def test_missing_field_is_filled(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of()
    path = f"secret/data/{settings.secrets.vault_prefix}/oidc"
    theirs = {"client_secret": "kept", "note": "of another team"}
    openbao_server.call("POST", path, {"data": theirs})
    store = opened(openbao_server, settings)

    refused = apply(entries(store, settings), report=unheard)
    untouched = data(openbao_server, settings, "oidc")
    adoption = Adoption(addresses=frozenset({"secrets/vault/oidc"}))
    adopted = apply(entries(store, settings), report=unheard, adoption=adoption)

    assert [str(failure) for failure in refused.failures] == [
        "! secrets/vault/oidc belongs to others (no mark of cdk8s-mlflow) (client_id: missing); "
        "take it over with --adopt secrets/vault/oidc, or name another in secrets.vault_prefix"
    ]
    assert (untouched["data"], untouched["metadata"]["version"]) == (theirs, 1)
    change = next(change for change in adopted.changes if change.address.endswith("/oidc"))
    assert (change.action, change.fields, change.adopts) == (Action.UPDATE, ("client_id",), True)
    assert data(openbao_server, settings, "oidc")["data"] == {"client_id": "mlflow", **theirs}
    destroy(entries(store, settings), report=unheard)
    assert data(openbao_server, settings, "oidc")["data"] == theirs
    assert data(openbao_server, settings, "oidc")["metadata"]["custom_metadata"] is None


def test_write_on_outdated_version_is_refused(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of()
    store = opened(openbao_server, settings)
    store.write("oidc", {"client_secret": "first"}, expected=None)
    outdated = store.read("oidc")
    store.write("oidc", {"client_secret": "second"}, expected=outdated)

    with pytest.raises(ConflictError, match="changed by another run"):
        store.write("oidc", {"client_secret": "third"}, expected=outdated)

    assert data(openbao_server, settings, "oidc")["data"] == {"client_secret": "second"}


def test_concurrent_runs_agree_on_values(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    for _ in range(10):
        settings = settings_of()
        runs = [entries(opened(openbao_server, settings), settings) for _ in range(2)]

        with ThreadPoolExecutor() as threads:
            outcomes = list(threads.map(lambda run: apply(run, report=unheard), runs))

        assert [outcome.failures for outcome in outcomes] == [(), ()]
        versions = [
            data(openbao_server, settings, entry)["metadata"]["version"]
            for entry in ("postgres", "s3", "oidc", "server")
        ]
        assert versions == [1, 1, 1, 1]


def test_rotation_renews_only_session_keys(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of(release="3.17.2")
    all_entries = entries(opened(openbao_server, settings), settings)
    apply(all_entries, report=unheard)
    before = data(openbao_server, settings, "server")["data"]

    renewed = next(entry for entry in all_entries if entry.plan.name == "server").rotate()

    after = data(openbao_server, settings, "server")["data"]
    assert renewed == ("secret_key", "session_token_encryption_key")
    assert {name for name in before if before[name] != after[name]} == set(renewed)


def test_rotation_keeps_one_earlier_session_key(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of(release="3.17.2")
    all_entries = entries(opened(openbao_server, settings), settings)
    apply(all_entries, report=unheard)
    server, values = next(entry for entry in all_entries if entry.plan.name == "server"), []
    for _ in range(3):
        # Only from the second time on is there an older key that has to go.
        values.append(data(openbao_server, settings, "server")["data"])
        server.rotate()
    last = data(openbao_server, settings, "server")["data"]

    for name in ("secret_key", "session_token_encryption_key"):
        keys = [value[name].split(",") for value in (*values, last)]
        assert [len(found) for found in keys] == [1, 2, 2, 2]
        assert [found[1] for found in keys[1:]] == [found[0] for found in keys[:-1]]


# A comma separates keys, so that none may hold one.
@pytest.mark.parametrize("given", ["short", "a,key-with-a-comma-that-is-one-key-and-long-enough"])
def test_rotation_drops_session_key_that_is_weak(openbao_server: OpenBao, settings_of: SettingsOf, given: str) -> None:
    settings = settings_of(release="3.17.2")
    store = opened(openbao_server, settings)
    all_entries = entries(store, settings)
    apply(all_entries, report=unheard)
    entry = store.read("server")
    assert entry
    store.write("server", {**entry.values, "secret_key": given}, expected=entry)

    next(entry for entry in all_entries if entry.plan.name == "server").rotate()

    assert "," not in data(openbao_server, settings, "server")["data"]["secret_key"]


def test_deleted_version_is_not_recreated(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of()
    store = opened(openbao_server, settings)
    store.write("server", {"secret_key": "old"}, expected=None)
    openbao_server.call("DELETE", f"secret/data/{settings.secrets.vault_prefix}/server")

    with pytest.raises(MissingError, match=r"version 1 of .*/server was deleted.*undelete it"):
        store.read("server")


def test_missing_value_is_named_by_its_variable(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of(authentication={"redis": {"host": "redis.example.com"}})
    store = opened(openbao_server, settings)

    outcome = apply(entries(store, settings), report=unheard)

    assert [str(failure) for failure in outcome.failures] == [
        "! secrets/vault/server: redis_password is not in the store and cannot be created here; "
        "set MLFLOW_SERVER_REDIS_PASSWORD, or MLFLOW_SERVER_REDIS_PASSWORD_FILE to a file that holds it"
    ]
    assert apply(entries(store, settings, MLFLOW_SERVER_REDIS_PASSWORD="given"), report=unheard).failures == ()
    assert data(openbao_server, settings, "server")["data"]["redis_password"] == "given"


@pytest.mark.parametrize("method", ["approle", "kubernetes"])
def test_explicit_login_method_is_tried_first(openbao_server: OpenBao, settings_of: SettingsOf, method: str) -> None:
    settings = settings_of(secrets={"vault_auth": method, "vault_auth_mount": f"{method}-nowhere"})
    given = {"VAULT_ROLE_ID": "a role", "VAULT_SECRET_ID": "a secret", "VAULT_KUBERNETES_TOKEN": "a token"}

    with pytest.raises((RefusedError, UnreachableError), match=r"(refuses|does not take)"):
        opened(openbao_server, settings, **given).read("oidc")


def test_approle_logs_in_again_after_expiry(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of(secrets={"vault_auth": "approle"})
    role = _approle(openbao_server, settings)
    store = opened(openbao_server, settings, VAULT_ROLE_ID=role[0], VAULT_SECRET_ID=role[1])
    store.write("oidc", {"client_secret": "kept"}, expected=None)
    # As at the end of its lease, without the wait for that.
    openbao_server.call("PUT", "auth/token/revoke", {"token": store._client.token})

    found = store.read("oidc")

    assert found is not None
    assert found.values == {"client_secret": "kept"}


def _approle(server: OpenBao, settings: Settings) -> tuple[str, str]:
    prefix = settings.secrets.vault_prefix
    rules = "".join(
        f'path "secret/{part}/{prefix}/*" {{ capabilities = ["create", "read", "update", "delete"] }}\n'
        for part in ("data", "metadata")
    )
    server.call("PUT", "sys/policies/acl/bootstrap", {"policy": rules})
    if "approle/" not in server.call("GET", "sys/auth")["data"]:
        server.call("POST", "sys/auth/approle", {"type": "approle"})
    server.call("POST", "auth/approle/role/bootstrap", {"token_policies": ["bootstrap"]})
    role = server.call("GET", "auth/approle/role/bootstrap/role-id")["data"]["role_id"]
    return role, server.call("POST", "auth/approle/role/bootstrap/secret-id", {})["data"]["secret_id"]


def test_documented_rights_suffice_for_rotate_and_destroy(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of()
    rules = ENOUGH.read_text().replace("/mlflow/", f"/{settings.secrets.vault_prefix}/")
    openbao_server.call("PUT", "sys/policies/acl/of-the-guide", {"policy": rules})
    made = openbao_server.call("POST", "auth/token/create", {"policies": ["of-the-guide"], "no_default_policy": True})
    few = opened(openbao_server, settings, VAULT_TOKEN=made["auth"]["client_token"])

    done = apply(entries(few, settings), report=unheard)
    renewed = entries(few, settings)[0].rotate()
    gone = destroy(entries(few, settings), report=unheard)

    assert (done.failures, renewed, gone.failures) == ((), ("password",), ())
    with pytest.raises(RefusedError):
        opened(openbao_server, settings_of(), VAULT_TOKEN=made["auth"]["client_token"]).read("oidc")


def test_wrong_token_is_refused_with_what_to_check(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    store = opened(openbao_server, settings_of(), VAULT_TOKEN="a-guess")

    with pytest.raises(RefusedError, match=r"refuses secret/.*; check the token") as caught:
        store.read("oidc")

    assert "a-guess" not in str(caught.value)


def test_missing_token_is_usage_error_without_terminal(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    store = VaultStore(settings_of(), Credentials(environ={"VAULT_ADDR": openbao_server.url}, ask=None))

    with pytest.raises(UsageError, match="no Vault token was given; set VAULT_TOKEN, or VAULT_TOKEN_FILE"):
        store.read("oidc")


def test_mount_that_is_no_kv_engine_is_named(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of(secrets={"vault_mount": "nowhere"})

    with pytest.raises(RefusedError, match=r"secrets\.vault_mount is a KV version 2 engine"):
        opened(openbao_server, settings).read("oidc")


def test_unreachable_vault_is_named_after_all_attempts(settings_of: SettingsOf) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    store = VaultStore(settings_of(), Credentials(environ={"VAULT_ADDR": address, "VAULT_TOKEN": "any"}))

    with pytest.raises(UnreachableError, match=f"cannot reach Vault at {address}.*check VAULT_ADDR"):
        store.read("oidc")


def test_rotation_leaves_password_to_cloudnativepg(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of()
    apply(entries(opened(openbao_server, settings), settings), report=unheard)
    login = {"VAULT_ADDR": openbao_server.url, "VAULT_TOKEN": openbao_server.token}
    run = Run(
        settings=settings,
        credentials=Credentials(environ=login, ask=None),
        report=unheard,
        step=lambda _: nullcontext(),
    )
    told: list[str] = []

    outcome = renew(run, "postgres", say=told.append)

    assert [named(change) for change in outcome.changes] == ["~ secrets/vault/postgres  (password)"]
    assert outcome.failures == ()
    assert "CloudNativePG sets the role's password when the Secret in its namespace has changed" in told
