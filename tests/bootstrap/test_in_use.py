"""What ``rotate`` says of pods that do not use a new value yet, and how it has External Secrets fetch it."""

from typing import Any

import pytest
from doctor_lines import DEPLOYMENT, MANIFESTS, SETTINGS
from healthy_cluster import HealthyCluster

from mlflow_bootstrap.errors import BootstrapError, UnreachableError
from mlflow_bootstrap.in_use import PodsInUse
from mlflow_bootstrap.store.synchronizing import synchronize
from mlflow_bootstrap.values import FixedValues

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("kubeconfig")]

VALUES = FixedValues({"oidc": {"client_id": "mlflow", "client_secret": "x" * 40}})
TEMPLATE = DEPLOYMENT["spec"]["template"]
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {**TEMPLATE["metadata"], "name": "mlflow-0", "namespace": SETTINGS.namespace},
    "spec": TEMPLATE["spec"],
}
READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


def wait() -> tuple[int, list[str]]:
    said: list[str] = []
    return PodsInUse(SETTINGS, "oidc", VALUES).wait(seconds=0.1, say=said.append), said


def test_wait_ends_at_once_without_pods() -> None:
    assert wait() == (0, [])


def test_wait_names_each_pod_that_is_late(cluster: HealthyCluster) -> None:
    other = {**POD, "metadata": {**POD["metadata"], "name": "mlflow-1"}}
    with cluster.having(POD, other), pytest.raises(BootstrapError) as error:
        wait()

    assert error.value.exit_code == 1
    assert "not in use after 0 s by 2 of 2 pods (mlflow-0: is not ready; mlflow-1: is not ready)" in str(error.value)


def test_wait_says_why_a_pod_cannot_be_asked(cluster: HealthyCluster) -> None:
    # No kubelet has it, so that no command can run in it.
    with cluster.having({**POD, **READY}), pytest.raises(UnreachableError) as error:
        wait()

    assert "exec in pod mlflow/mlflow-0" in str(error.value)
    assert "--no-wait" in error.value.remedy


def test_new_password_reaches_postgresql_first(cluster: HealthyCluster) -> None:
    assert list(synchronize(SETTINGS, "postgres")) == []

    marks = [
        cluster.find("externalsecret", name, namespace)["metadata"]["annotations"]["force-sync"]
        for name, namespace in ((SETTINGS.database.role_secret, "postgres"), ("mlflow-db-secret", "mlflow"))
    ]
    assert marks == sorted(marks)
    assert len(set(marks)) == 2


def test_missing_external_secret_gets_its_command(cluster: HealthyCluster) -> None:
    missing = MANIFESTS.named("ExternalSecret", "mlflow-oidc-config")
    assert missing
    with cluster.broken(dict(missing), None):
        (line,) = synchronize(SETTINGS, "oidc")

    assert "mlflow/mlflow-oidc-config now (Not Found): kubectl -n mlflow annotate externalsecret" in line
