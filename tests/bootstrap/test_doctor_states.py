"""Lines of doctor that depend on what the cluster says of its objects: delivery, migration, pods and room."""

from collections.abc import Mapping
from typing import Any

import pytest
from doctor_lines import DEPLOYMENT, JOB, MANIFESTS, look
from healthy_cluster import HealthyCluster, ago, controller, custom

from mlflow_bootstrap.doctor.line import State

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("kubeconfig")]


def test_doctor_misses_the_delivery(cluster: HealthyCluster) -> None:
    objects = [dict(item) for item in MANIFESTS.delivery["flux"]]
    with cluster.broken(objects[0], None), cluster.broken(objects[1], None), cluster.broken(objects[2], None):
        line = look("delivery")["delivery"]

    assert line.state is State.FAILED
    assert "no Kustomization and no Application" in line.seen


def test_doctor_says_which_delivery_to_apply(cluster: HealthyCluster) -> None:
    source, *_ = (dict(item) for item in MANIFESTS.delivery["flux"])
    with cluster.broken(source, None):
        lines = look("delivery")

    # Argo CD's Application is not applied, and is no fault beside Flux's objects.
    assert [name for name, line in lines.items() if line.state is State.FAILED] == ["GitRepository mlflow-production"]
    assert lines["GitRepository mlflow-production"].do == "kubectl apply -f dist/production/delivery/flux/"
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("sync", "health", "state"),
    [
        ("Synced", "Healthy", State.OK),
        ("Synced", "Progressing", State.WARNING),
        ("OutOfSync", "Healthy", State.FAILED),
        ("Synced", "Degraded", State.FAILED),
    ],
)
def test_doctor_reads_argo_cd(cluster: HealthyCluster, sync: str, health: str, state: State) -> None:
    (application,) = (dict(i) for i in MANIFESTS.delivery["argocd"] if i["kind"] == "Application")
    status = {"sync": {"status": sync, "revision": "1234567"}, "health": {"status": health}}

    with cluster.having({**application, "status": status}):
        line = look("delivery")["Application mlflow-production"]

    assert line.state is state


def test_doctor_misses_a_kind(cluster: HealthyCluster) -> None:
    definition = custom(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "servicemonitors.monitoring.coreos.com", None
    )
    # Another version keeps the group in discovery, as after an upgrade that dropped the old one.
    served = cluster.find("crd", "servicemonitors.monitoring.coreos.com")["spec"]["versions"]

    with cluster.broken(definition, {"spec": {"versions": [{**served[0], "served": False}, OTHER_VERSION]}}):
        line = look("kinds")["API monitoring.coreos.com/v1"]

    assert line.state is State.FAILED
    assert "ServiceMonitor" in line.seen


OTHER_VERSION = {
    "name": "v2",
    "served": True,
    "storage": False,
    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
}


@pytest.mark.parametrize(
    ("message", "conditions", "state"),
    [
        ("failed: revision is newer", [("FailureTarget", "True"), ("Failed", "True")], State.FAILED),
        ("pending", [], State.WARNING),
    ],
)
def test_doctor_tells_how_the_migration_is(
    cluster: HealthyCluster, message: str, conditions: list[tuple[str, str]], state: State
) -> None:
    said = [
        {"type": t, "status": s, "reason": "BackoffLimitExceeded", "message": "revision is newer"}
        for t, s in conditions
    ]
    job = {**JOB, "status": {"startTime": ago(hours=1), "conditions": said}}
    with cluster.broken(dict(JOB), None), cluster.having(job):
        line = look("migration")[f"Job {JOB['metadata']['name']}"]

    assert (line.state, message in line.seen) == (state, True), line


def test_doctor_says_why_pods_wait(cluster: HealthyCluster) -> None:
    template = DEPLOYMENT["spec"]["template"]
    waiting = {"name": "mlflow", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
    reason = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "name": "mlflow-1", "namespace": "mlflow"},
        "spec": template["spec"],
        "status": {"containerStatuses": [{**waiting, "state": reason}]},
    }

    with (
        cluster.having(pod),
        cluster.broken(dict(DEPLOYMENT), {"status": {"availableReplicas": 0, "readyReplicas": 0}}),
    ):
        line = look("server")["Deployment mlflow"]

    assert "mlflow: ImagePullBackOff not found" in line.seen


@pytest.mark.parametrize(
    ("argument", "state", "seen"),
    [
        # Without the flag Traefik's own default holds.
        ("--log.level=INFO", State.WARNING, "60 s"),
        ("--entryPoints.websecure.transport.respondingTimeouts.readTimeout=90s", State.WARNING, "90 s"),
        ("--entryPoints.websecure.transport.respondingTimeouts.readTimeout=1h", State.OK, "3600 s"),
    ],
)
def test_doctor_reads_traefiks_timeout(cluster: HealthyCluster, argument: str, state: State, seen: str) -> None:
    changed = controller("traefik", "v3.7.0", argument)
    with cluster.broken(changed, {"spec": changed["spec"]}):
        line = look("read_timeout")["Traefik's readTimeout"]

    assert (line.state, line.seen.startswith(seen)) == (state, True), line


def namespaced(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "small", "namespace": "mlflow"}, "spec": spec}


@pytest.mark.parametrize(("room", "state"), [("64Gi", State.OK), ("1Gi", State.FAILED)])
def test_doctor_compares_the_quota(cluster: HealthyCluster, room: str, state: State) -> None:
    quota = namespaced("ResourceQuota", {"hard": {"requests.memory": room, "pods": "20"}})

    with cluster.having(quota):
        line = look("quotas")["ResourceQuota small"]

    assert line.state is state
    assert state is State.OK or line.seen.startswith("requests.memory: asks for ")


@pytest.mark.parametrize(("most", "state"), [("64Gi", State.OK), ("256Mi", State.FAILED)])
def test_doctor_compares_the_limit_range(cluster: HealthyCluster, most: str, state: State) -> None:
    limits = namespaced("LimitRange", {"limits": [{"type": "Container", "max": {"memory": most}}]})

    with cluster.having(limits):
        line = look("limit_ranges")["LimitRange small"]

    assert line.state is state
    assert state is State.OK or "Job migrate: limit of memory is above 256Mi" in line.seen


@pytest.mark.parametrize(("phase", "state"), [("Running", State.WARNING), ("Failed", State.FAILED)])
def test_doctor_sees_a_sync_under_way(cluster: HealthyCluster, phase: str, state: State) -> None:
    (application,) = (dict(i) for i in MANIFESTS.delivery["argocd"] if i["kind"] == "Application")
    operation = {"phase": phase, "message": "waiting for healthy state of batch/Job/mlflow-db-migration"}
    status = {"sync": {"status": "OutOfSync"}, "health": {"status": "Missing"}, "operationState": operation}

    with cluster.having({**application, "status": status}):
        line = look("delivery")["Application mlflow-production"]

    assert (line.state, "batch/Job/mlflow-db-migration" in line.seen) == (state, True)


CLASS = {"scopeName": "PriorityClass", "operator": "In", "values": ["system-cluster-critical"]}


@pytest.mark.parametrize(
    ("scopes", "state"),
    [
        # As some clusters forbid their own classes to all namespaces.
        ({"scopeSelector": {"matchExpressions": [CLASS]}}, State.OK),
        ({"scopeSelector": {"matchExpressions": [{**CLASS, "operator": "NotIn"}]}}, State.FAILED),
        ({"scopes": ["BestEffort"]}, State.OK),
        ({"scopes": ["NotBestEffort"]}, State.FAILED),
        ({"scopes": ["NotTerminating"]}, State.FAILED),
    ],
)
def test_doctor_counts_pods_of_the_quotas_scope(cluster: HealthyCluster, scopes: dict[str, Any], state: State) -> None:
    quota = namespaced("ResourceQuota", {"hard": {"pods": "0"}, **scopes})

    with cluster.having(quota):
        line = look("quotas")["ResourceQuota small"]

    assert line.state is state, line
