"""Each line of doctor that reads the cluster: right with everything well, and named when that one thing is broken."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from doctor_lines import DEPLOYMENT, KUSTOMIZATION, MANIFESTS, SETTINGS, SOURCE, examination, look
from healthy_cluster import READY, HealthyCluster, ago, controller, custom

from mlflow_bootstrap.doctor.checks import workloads
from mlflow_bootstrap.doctor.committed import Committed
from mlflow_bootstrap.doctor.line import State

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("kubeconfig")]


def test_doctor_finds_nothing_wrong_in_health(cluster: HealthyCluster) -> None:
    lines = look()

    assert {name: line for name, line in lines.items() if line.state is not State.OK} == {}
    assert len(lines) > 20


@dataclass(frozen=True, kw_only=True)
class Case:
    """``patch`` breaks ``item``, None deletes it; then the line ``name`` has ``state``, and ``seen`` in it."""

    item: Mapping[str, Any]
    patch: Mapping[str, Any] | None
    check: str
    name: str
    seen: str
    state: State = State.FAILED


def failed_condition(message: str) -> dict[str, Any]:
    return {"status": {"conditions": [{**READY, "status": "False", "message": message}]}}


def reconciling(ready: str, before: str = "ReconciliationSucceeded") -> dict[str, Any]:
    """As kustomize-controller has it during a look, and between two tries; ``before`` is how the last ended."""
    conditions = [{**READY, "status": ready, "message": "at work"}, {**READY, "type": "Reconciling"}]
    return {"status": {"conditions": conditions, "history": [{"lastReconciledStatus": before}]}}


def of(kind: str, name: str) -> Mapping[str, Any]:
    item = MANIFESTS.named(kind, name)
    assert item is not None
    return item


STORE = custom("external-secrets.io/v1", "ClusterSecretStore", "vault-secret-store", None)
ISSUER = custom("cert-manager.io/v1", "ClusterIssuer", "letsencrypt", None)
POSTGRES = custom("postgresql.cnpg.io/v1", "Cluster", "postgres-cluster", "postgres")
CLASS = custom("networking.k8s.io/v1", "IngressClass", "traefik", None)
CASES = {
    "store missing": Case(
        item=STORE, patch=None, check="secret_store", name="ClusterSecretStore vault-secret-store", seen="not exist"
    ),
    "store refuses": Case(
        item=STORE,
        patch=failed_condition("permission denied"),
        check="secret_store",
        name="ClusterSecretStore vault-secret-store",
        seen="permission denied",
    ),
    "issuer missing": Case(item=ISSUER, patch=None, check="issuer", name="ClusterIssuer letsencrypt", seen="not exist"),
    "issuer not registered": Case(
        item=ISSUER,
        patch=failed_condition("no account"),
        check="issuer",
        name="ClusterIssuer letsencrypt",
        seen="no account",
    ),
    "database cluster missing": Case(
        item=POSTGRES, patch=None, check="database_cluster", name="Cluster postgres-cluster", seen="does not exist"
    ),
    "database cluster down": Case(
        item=POSTGRES,
        patch={"status": {"phase": "Waiting for the instances to become active", "readyInstances": 0}},
        check="database_cluster",
        name="Cluster postgres-cluster",
        seen="0 of 3",
    ),
    "database cluster fails over": Case(
        item=POSTGRES,
        patch={"status": {"phase": "Failing over", "readyInstances": 2}},
        check="database_cluster",
        name="Cluster postgres-cluster",
        seen="Failing over, 2 of 3",
        state=State.WARNING,
    ),
    "ingress class missing": Case(
        item=CLASS, patch=None, check="ingress_class", name="IngressClass traefik", seen="does not exist"
    ),
    "operator too old": Case(
        item=controller("cloudnative-pg", "1.30.0"),
        # The label counts before the image's tag, which may be a digest or a mirror's own.
        patch={"metadata": {"labels": {"app.kubernetes.io/version": "1.24.3"}}},
        check="operators",
        name="operator cloudnative-pg",
        seen="1.24.3",
    ),
    "operator down": Case(
        item=controller("external-secrets", "v2.9.0"),
        patch={"status": {"availableReplicas": 0}},
        check="operators",
        name="operator external-secrets",
        seen="no pod of it is available",
    ),
    "operator missing": Case(
        item=controller("cert-manager", "v1.21.0"),
        patch=None,
        check="operators",
        name="operator cert-manager",
        seen="no Deployment",
        state=State.WARNING,
    ),
    "delivery missing": Case(
        item=KUSTOMIZATION,
        patch=None,
        check="delivery",
        name="Kustomization mlflow-production-application",
        seen="missing in the cluster beside others",
    ),
    "delivery fails": Case(
        item=KUSTOMIZATION,
        patch=failed_condition("health check failed after 30s"),
        check="delivery",
        name="Kustomization mlflow-production-application",
        seen="health check failed",
    ),
    "delivery looks again": Case(
        item=KUSTOMIZATION,
        patch=reconciling("Unknown"),
        check="delivery",
        name="Kustomization mlflow-production-application",
        seen="at work; applied is main@",
        state=State.WARNING,
    ),
    "delivery fails and is tried again": Case(
        item=KUSTOMIZATION,
        patch=reconciling("False"),
        check="delivery",
        name="Kustomization mlflow-production-application",
        seen="at work",
    ),
    "delivery tries again": Case(
        item=KUSTOMIZATION,
        patch=reconciling("Unknown", "HealthCheckFailed"),
        check="delivery",
        name="Kustomization mlflow-production-application",
        seen="the try before gave HealthCheckFailed",
    ),
    "source is fetched": Case(
        item=SOURCE,
        patch=reconciling("Unknown"),
        check="delivery",
        name="GitRepository mlflow-production",
        seen="at work",
        state=State.WARNING,
    ),
    "delivery suspended": Case(
        item=KUSTOMIZATION,
        patch={"spec": {"suspend": True}},
        check="delivery",
        name="Kustomization mlflow-production-application",
        seen="suspended",
        state=State.WARNING,
    ),
    "object missing": Case(
        item=of("Middleware", "mlflow-headers"),
        patch=None,
        check="objects",
        name="objects",
        seen="Middleware mlflow-headers",
    ),
    "secret not synced": Case(
        item=of("ExternalSecret", "mlflow-db-secret"),
        patch=failed_condition("could not get secret data from provider"),
        check="external_secrets",
        name="ExternalSecret mlflow-db-secret",
        seen="could not get secret data",
    ),
    "database not applied": Case(
        item=of("Database", "mlflow"),
        patch={"status": {"applied": False, "message": 'role "mlflow" does not exist'}},
        check="databases",
        name="Database mlflow",
        seen='role "mlflow" does not exist',
    ),
    "certificate of the role not issued": Case(
        item=of("DatabaseRole", "mlflow"),
        patch={"status": {"applied": True, "clientCertificate": {"message": "client CA has no private key"}}},
        check="databases",
        name="DatabaseRole mlflow",
        seen="client CA has no private key",
    ),
    "role not applied": Case(
        item=of("DatabaseRole", "mlflow"),
        patch={"status": {"applied": False, "message": "secret not found"}},
        check="databases",
        name="DatabaseRole mlflow",
        seen="secret not found",
    ),
    "image changed by hand": Case(
        item=DEPLOYMENT,
        patch={
            "spec": {
                "template": {
                    "spec": {
                        "containers": [{**DEPLOYMENT["spec"]["template"]["spec"]["containers"][0], "image": "other:1"}]
                    }
                }
            }
        },
        check="server",
        name="image of mlflow",
        seen="mlflow runs other:1",
    ),
    "no pod serves": Case(
        item=DEPLOYMENT,
        patch={"status": {"availableReplicas": 0, "readyReplicas": 0}},
        check="server",
        name="Deployment mlflow",
        seen="0 of 1 pods serve",
    ),
    "gc failed": Case(
        item=of("CronJob", "mlflow-gc"),
        patch={"status": {"lastScheduleTime": ago(hours=8), "lastSuccessfulTime": ago(hours=40)}},
        check="cron_jobs",
        name="CronJob mlflow-gc",
        seen="last success 40 hours ago, due 8 hours ago",
    ),
    "end-access suspended": Case(
        item=of("CronJob", "mlflow-end-access"),
        patch={"spec": {"suspend": True}},
        check="cron_jobs",
        name="CronJob mlflow-end-access",
        seen="suspended",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_doctor_names_what_was_broken(cluster: HealthyCluster, case: Case) -> None:
    with cluster.broken(dict(case.item), case.patch):
        line = look(case.check)[case.name]

    assert (line.state, case.seen in line.seen) == (case.state, True), line
    assert line.state is State.OK or (line.means and line.do)


@pytest.mark.parametrize(
    ("committed", "running", "seen"),
    [
        (True, True, (State.OK, "suspended, as committed")),
        (False, True, (State.FAILED, "suspended")),
        (True, False, (State.WARNING, "committed is suspended, and it still runs")),
    ],
)
def test_doctor_compares_pauses_with_commits(
    cluster: HealthyCluster, committed: bool, running: bool, seen: tuple[State, str]
) -> None:
    gc = dict(of("CronJob", "mlflow-gc"))
    written = {**gc, "spec": {**gc["spec"], "suspend": committed}}

    with cluster.broken(gc, {"spec": {"suspend": running}}):
        (line,) = workloads.cron_jobs(replace(examination(), committed=Committed((written,), {})))

    assert (line.state, line.seen) == seen


def test_doctor_names_missing_middlewares_of_the_users(cluster: HealthyCluster) -> None:
    # One that is there, whose name has a dash as well, and one of a file, which only Traefik can see.
    named = {"more_middlewares": ("mlflow-mlflow-headers@kubernetescrd", "web-office@kubernetescrd", "audit@file")}
    ingress = SETTINGS.ingress.model_copy(update=named)

    lines = look("middlewares", settings=SETTINGS.model_copy(update={"ingress": ingress}))

    assert {name: line.state for name, line in lines.items()} == {
        "Middleware mlflow-mlflow-headers": State.OK,
        "Middleware web-office": State.FAILED,
    }
