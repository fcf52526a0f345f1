"""What may answer in the place of a system, or hold what no run writes: other programs, engines, values of others."""

import secrets
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError

import pytest
from doctor_lines import examination
from test_kubeconfig import OTHERS, answering
from vault import data, entries, opened, unheard

from cdk8s_mlflow.settings import Settings
from live.servers import OpenBao
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.doctor.checks.prepared import run_of
from mlflow_bootstrap.engine import apply, plan
from mlflow_bootstrap.errors import RefusedError, UnreachableError
from mlflow_bootstrap.ownership import Adoption
from mlflow_bootstrap.store.vault import VaultStore
from mlflow_bootstrap.systems import PartName

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
THEIRS = {"port": 5432, "ratio": 0.1, "none": None, "yes": True, "list": [1, {"a": "b"}], "text": "5432"}


def mounted(server: OpenBao, engine: dict[str, Any]) -> str:
    mount = f"engine-{secrets.token_hex(4)}"
    server.call("POST", f"sys/mounts/{mount}", engine)
    return mount


@pytest.mark.parametrize(
    "engine",
    # As `vault secrets enable kv` mounts it, and as it is named in full.
    [{"type": "kv"}, {"type": "kv", "options": {"version": "1"}}],
    ids=["by default", "named"],
)
def test_first_version_of_kv_is_refused_unwritten(
    openbao_server: OpenBao, settings_of: SettingsOf, engine: dict[str, Any]
) -> None:
    mount = mounted(openbao_server, engine)
    settings = settings_of(secrets={"vault_mount": mount})

    planned = plan(entries(opened(openbao_server, settings), settings), report=unheard)
    applied = apply(entries(opened(openbao_server, settings), settings), report=unheard)

    for outcome in (planned, applied):
        assert len(outcome.failures) == 5
        assert all("secrets.vault_mount is a KV version 2 engine" in str(failure) for failure in outcome.failures)
    with pytest.raises(HTTPError, match="404"):
        openbao_server.call("GET", f"{mount}/?list=true")


def test_entry_of_the_first_version_is_refused(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    mount = mounted(openbao_server, {"type": "kv"})
    settings = settings_of(secrets={"vault_mount": mount})
    # What an earlier run has left there.
    openbao_server.call(
        "POST", f"{mount}/data/{settings.secrets.vault_prefix}/oidc", {"data": {"client_secret": "hush-hush"}}
    )

    with pytest.raises(RefusedError, match=r"secrets\.vault_mount is a KV version 2 engine") as caught:
        opened(openbao_server, settings).read("oidc")

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_answer_of_another_program_is_one_error(settings_of: SettingsOf, other: tuple[bytes, str, int | None]) -> None:
    body, kind, length = other
    with answering(body, kind=kind, length=length) as url:
        settings = settings_of(bootstrap={"attempts": 1})
        store = VaultStore(settings, Credentials(environ={"VAULT_ADDR": url, "VAULT_TOKEN": "any"}))

        with pytest.raises(UnreachableError, match=url) as caught:
            store.read("oidc")

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("part", ["keycloak", "minio"])
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_answer_of_another_program_names_the_system(
    openbao_server: OpenBao, settings_of: SettingsOf, other: tuple[bytes, str, int | None], part: PartName
) -> None:
    body, kind, length = other
    login = {"VAULT_ADDR": openbao_server.url, "VAULT_TOKEN": openbao_server.token}
    login |= {"KEYCLOAK_ADMIN": "any", "KEYCLOAK_ADMIN_PASSWORD": "any"}
    login |= {"MINIO_ADMIN_USER": "any-user", "MINIO_ADMIN_PASSWORD": "any-password"}
    with answering(body, kind=kind, length=length) as url:
        settings = settings_of(bootstrap={"keycloak_url": url, "s3_endpoint": url, "attempts": 1})

        outcome = run_of(examination(settings, name="site", environ=login)).plan((part,))

    assert [type(failure.error) for failure in outcome.failures] == [UnreachableError]
    assert url in str(outcome.failures[0])
    assert "hush" not in str(outcome.failures[0])


def test_values_of_others_keep_their_types(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of()
    path = f"secret/data/{settings.secrets.vault_prefix}/s3"
    openbao_server.call("POST", path, {"data": THEIRS})
    adopted = Adoption(addresses=frozenset({"secrets/vault/s3"}))

    apply(entries(opened(openbao_server, settings), settings), report=unheard, adoption=adopted)
    (entry,) = (e for e in entries(opened(openbao_server, settings), settings) if e.plan.name == "s3")
    entry.rotate()

    kept = data(openbao_server, settings, "s3")
    assert kept["metadata"]["version"] == 3
    assert {name: kept["data"][name] for name in THEIRS} == THEIRS
    assert len(kept["data"]["secretkey"]) == 40


def test_value_that_is_null_is_missing(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of()
    path = f"secret/data/{settings.secrets.vault_prefix}/s3"
    openbao_server.call("POST", path, {"data": {"accesskey": None, "secretkey": None}})
    adopted = Adoption(addresses=frozenset({"secrets/vault/s3"}))

    apply(entries(opened(openbao_server, settings), settings), report=unheard, adoption=adopted)

    assert len(data(openbao_server, settings, "s3")["data"]["secretkey"]) == 40
