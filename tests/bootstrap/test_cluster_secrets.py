"""Kubernetes Secrets in place of a store, on a stand-in for the API (see ``cluster``): created once and kept."""

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cluster import SecretsApi, serving

from cdk8s_mlflow.contract import secret_templates
from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.engine import NOTHING, Action, Outcome, apply, destroy, plan
from mlflow_bootstrap.errors import UsageError
from mlflow_bootstrap.ownership import Adoption
from mlflow_bootstrap.store.backend import Backend, open_backend

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
ENTRIES = ("postgres", "s3", "oidc", "server", "directory")


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsApi]:
    """A cluster with the namespaces of MLflow and of the database."""
    api = SecretsApi("mlflow", "postgres")
    with serving(api, tmp_path) as kubeconfig:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        yield api


@pytest.fixture
def ours(settings_of: SettingsOf) -> Settings:
    """Settings that keep secrets in the cluster."""
    return settings_of(release="3.17.2", secrets={"mode": "kubernetes"})


def _backend(settings: Settings, adoption: Adoption = NOTHING) -> Backend:
    login = Credentials(environ={"MLFLOW_POSTGRES_CA_CRT": "a certificate"}, ask=None)
    return open_backend(settings, login, finders={}, print_to=None, adoption=adoption)


def _silent(_: object) -> None:
    return None


def _apply(settings: Settings, *adopted: str) -> Outcome:
    adoption = Adoption(addresses=frozenset(adopted))
    return apply(_backend(settings, adoption).resources(ENTRIES), report=_silent, adoption=adoption)


def _plan(settings: Settings) -> Outcome:
    return plan(_backend(settings).resources(ENTRIES), report=_silent)


def test_plan_on_empty_cluster_writes_nothing(api: SecretsApi, ours: Settings) -> None:
    outcome = _plan(ours)

    assert {change.action for change in outcome.changes} == {Action.CREATE}
    assert api.writes == []


def test_secrets_equal_those_of_external_secrets(api: SecretsApi, ours: Settings) -> None:
    done = _apply(ours)

    assert done.failures == ()
    wanted = {f"{recipe.namespace}/{recipe.name}": recipe for recipe in secret_templates(ours)}
    assert set(api.secrets) == set(wanted)
    assert {path: set(secret["data"]) for path, secret in api.secrets.items()} == {
        path: set(recipe.data) for path, recipe in wanted.items()
    }
    assert api.secrets["postgres/mlflow-db-role"]["type"] == "kubernetes.io/basic-auth"
    assert api.secrets["postgres/mlflow-db-role"]["metadata"]["labels"] == {
        "cnpg.io/reload": "true",
        "app.kubernetes.io/instance": "mlflow",
        "app.kubernetes.io/managed-by": "cdk8s-mlflow",
    }
    # One password in two namespaces: CloudNativePG sets the one with which the server logs in.
    assert api.text("postgres/mlflow-db-role", "password") == api.text("mlflow/mlflow-db-secret", "password")


def test_second_apply_writes_nothing(api: SecretsApi, ours: Settings) -> None:
    _apply(ours)
    api.requests.clear()

    again = _apply(ours)

    assert (again.pending, again.failures) == ((), ())
    assert api.writes == []


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("mlflow/mlflow-oidc-config", "OIDC_CLIENT_ID"),
        ("mlflow/mlflow-db-secret", "pg_service.conf"),
        ("mlflow/mlflow-s3-secret", "credentials"),
        ("postgres/mlflow-db-role", "password"),
    ],
)
def test_drift_is_repaired_and_foreign_values_stay(api: SecretsApi, ours: Settings, path: str, key: str) -> None:
    _apply(ours)
    before = dict(api.secrets[path]["data"])
    foreign = base64.b64encode(b"of others").decode()
    # One field drifts, and one is of others: repairing must touch the first only.
    api.secrets[path]["data"] |= {key: foreign, "another": foreign}

    planned, done = _plan(ours), _apply(ours)

    assert [change.address for change in planned.pending] == [f"secrets/kubernetes/{path}"]
    assert done.failures == ()
    assert api.secrets[path]["data"] == before | {"another": foreign}


def test_values_that_are_there_are_adopted(api: SecretsApi, ours: Settings) -> None:
    data = {"OIDC_CLIENT_SECRET": base64.b64encode(b"kept").decode()}
    api.answer(
        "POST",
        "/api/v1/namespaces/mlflow/secrets",
        {"metadata": {"name": "mlflow-oidc-config"}, "type": "Opaque", "data": data},
    )

    before = json.dumps(api.secrets["mlflow/mlflow-oidc-config"])

    refused = _apply(ours)
    untouched = json.dumps(api.secrets["mlflow/mlflow-oidc-config"])
    adopted = _apply(ours, "secrets/kubernetes/mlflow/mlflow-oidc-config")

    assert [str(failure).split(";")[0] for failure in refused.failures] == [
        "! secrets/kubernetes/mlflow/mlflow-oidc-config belongs to others (no mark of cdk8s-mlflow) "
        "(labels.app.kubernetes.io/instance: (none) → mlflow, labels.app.kubernetes.io/managed-by: (none) → "
        "cdk8s-mlflow, data.OIDC_CLIENT_ID: missing, data.OIDC_CLIENT_SECRET: differs)"
    ]
    assert (untouched, adopted.failures, _plan(ours).pending) == (before, (), ())
    assert api.text("mlflow/mlflow-oidc-config", "OIDC_CLIENT_SECRET") == "kept"
    destroy(_backend(ours).resources(["oidc"]), report=_silent)
    left = api.secrets["mlflow/mlflow-oidc-config"]
    assert (left["data"], left["metadata"].get("labels")) == (data, {})


def test_ten_times_two_runs_at_once_agree(tmp_path: Path, api: SecretsApi, ours: Settings) -> None:
    # Two threads meet in another order each time, so that once would prove little.
    for _ in range(10):
        api.secrets.clear()

        with ThreadPoolExecutor() as threads:
            outcomes = list(threads.map(_apply, [ours, ours]))

        assert [outcome.failures for outcome in outcomes] == [(), ()]
        assert _plan(ours).pending == ()
        assert api.text("postgres/mlflow-db-role", "password") == api.text("mlflow/mlflow-db-secret", "password")


def test_rotation_reaches_every_secret_of_entry(api: SecretsApi, ours: Settings) -> None:
    _apply(ours)
    before = api.text("mlflow/mlflow-db-secret", "password")

    renewed = _backend(ours).rotate("postgres")

    assert renewed == ("password",)
    assert api.text("mlflow/mlflow-db-secret", "password") != before
    assert api.text("postgres/mlflow-db-role", "password") == api.text("mlflow/mlflow-db-secret", "password")
    assert _plan(ours).pending == ()


def test_namespace_that_is_missing_is_named(api: SecretsApi, ours: Settings) -> None:
    api.namespaces = ("mlflow",)

    outcome = _apply(ours)

    assert [str(failure) for failure in outcome.failures] == [
        "! secrets/kubernetes/postgres/mlflow-db-role: there is no namespace postgres in the cluster; "
        "create it first, or let Flux or Argo CD do so"
    ]


def test_destroy_leaves_nothing_of_ours(api: SecretsApi, ours: Settings) -> None:
    _apply(ours)

    outcome = destroy(_backend(ours).resources(ENTRIES), report=_silent)

    assert outcome.failures == ()
    assert api.secrets == {}


@pytest.mark.parametrize(("location", "context"), [("nowhere", None), ("kubeconfig", "another")])
def test_kubeconfig_without_context_is_usage_error(
    api: SecretsApi,
    settings_of: SettingsOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    location: str,
    context: str | None,
) -> None:
    settings = settings_of(secrets={"mode": "kubernetes"}, bootstrap={"kube_context": context})
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / location))

    outcome = _apply(settings)

    assert {type(failure.error) for failure in outcome.failures} == {UsageError}
    assert "set KUBECONFIG, and bootstrap.kube_context" in str(outcome.failures[0])
