"""The authority of CloudNativePG reaches the store by itself, from a stand-in for the API (see ``cluster``)."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import SecretsApi, serving
from vault import data

from cdk8s_mlflow.settings import Settings
from live.servers import OpenBao
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import Action, Outcome, apply, plan
from mlflow_bootstrap.store.backend import Backend, open_backend

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsApi]:
    """A cluster in which CloudNativePG has created its authority."""
    api = SecretsApi("mlflow", "postgres")
    with serving(api, tmp_path) as kubeconfig:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        # In place of CloudNativePG, which needs a whole cluster to run.
        _make_authority(api, "first")
        yield api


def _make_authority(api: SecretsApi, certificate: str) -> None:
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in _files(certificate).items()}
    body: dict[str, Any] = {"metadata": {"name": "postgres-cluster-ca"}, "type": "Opaque", "data": encoded}
    api.secrets.pop("postgres/postgres-cluster-ca", None)
    api.answer("POST", "/api/v1/namespaces/postgres/secrets", body)


def _files(certificate: str) -> dict[str, str]:
    # The Secret of CloudNativePG holds the private key as well, which must never be copied.
    return {"ca.crt": certificate, "ca.key": "never to be taken"}


def _backend(server: OpenBao, settings: Settings, **environ: str) -> Backend:
    given = {"VAULT_ADDR": server.url, "VAULT_TOKEN": server.token} | environ
    return open_backend(settings, Credentials(environ=given, ask=None), finders={}, print_to=None)


def _apply(server: OpenBao, settings: Settings, **environ: str) -> Outcome:
    return apply(_backend(server, settings, **environ).resources(["postgres"]), report=lambda _: None)


def test_it_is_copied_without_its_key(api: SecretsApi, openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    ours = settings_of(bootstrap={"kube_context": "here"})

    done = _apply(openbao_server, ours)

    kept = data(openbao_server, ours, "postgres")["data"]
    assert done.failures == ()
    assert kept["ca_crt"] == "first"
    assert "never to be taken" not in kept.values()
    # The first request is the test's own, which creates the Secret.
    assert [line.split()[0] for line in api.requests[1:]] == ["GET"]


def test_renewed_authority_is_drift_and_is_copied(
    api: SecretsApi, openbao_server: OpenBao, settings_of: SettingsOf
) -> None:
    ours = settings_of(bootstrap={"kube_context": "here"})
    _apply(openbao_server, ours)
    before = data(openbao_server, ours, "postgres")["data"]
    _make_authority(api, "second")

    planned = plan(_backend(openbao_server, ours).resources(["postgres"]), report=lambda _: None)
    _apply(openbao_server, ours)

    assert [(change.action, change.fields) for change in planned.changes] == [(Action.UPDATE, ("ca_crt",))]
    assert data(openbao_server, ours, "postgres")["data"] == before | {"ca_crt": "second"}


def test_unnamed_cluster_is_not_asked(api: SecretsApi, openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    # The fixture itself has written the Secret.
    api.requests.clear()

    done = _apply(openbao_server, settings_of())

    assert api.requests == []
    assert "MLFLOW_POSTGRES_CA_CRT" in done.failures[0].error.remedy


def test_what_operator_hands_over_wins(api: SecretsApi, openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    ours = settings_of(bootstrap={"kube_context": "here"})

    _apply(openbao_server, ours, MLFLOW_POSTGRES_CA_CRT="handed over")

    assert data(openbao_server, ours, "postgres")["data"]["ca_crt"] == "handed over"


def test_authority_handed_over_later_replaces_stored(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    ours = settings_of()
    _apply(openbao_server, ours, MLFLOW_POSTGRES_CA_CRT="first")
    before = data(openbao_server, ours, "postgres")["data"]

    _apply(openbao_server, ours, MLFLOW_POSTGRES_CA_CRT="first and second")
    both = data(openbao_server, ours, "postgres")["data"]
    without = _apply(openbao_server, ours)

    assert both == before | {"ca_crt": "first and second"}
    assert (without.pending, without.failures) == ((), ())
    assert data(openbao_server, ours, "postgres")["data"] == both


def test_cluster_without_authority_keeps_stored_value(
    api: SecretsApi, openbao_server: OpenBao, settings_of: SettingsOf
) -> None:
    ours = settings_of(bootstrap={"kube_context": "here"})
    _apply(openbao_server, ours)
    del api.secrets["postgres/postgres-cluster-ca"]

    done = _apply(openbao_server, ours)

    assert (done.pending, done.failures) == ((), ())
    assert data(openbao_server, ours, "postgres")["data"]["ca_crt"] == "first"
