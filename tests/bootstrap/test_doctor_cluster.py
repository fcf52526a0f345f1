"""Each line of doctor that reads the cluster: right with everything well, and named when that one thing is broken."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from healthy_cluster import PRODUCTION, READY, HealthyCluster, ago, controller, custom

from cdk8s_mlflow.settings import Settings, load
from live.node.api_server import ApiServer
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.doctor.checks import capacity, delivery, ingress, operators, workloads
from mlflow_bootstrap.doctor.cluster_reader import ClusterReader
from mlflow_bootstrap.doctor.committed import committed
from mlflow_bootstrap.doctor.examination import Check, Examination
from mlflow_bootstrap.doctor.line import Line, State
from mlflow_bootstrap.doctor.rights import rights, role_name, roles
from mlflow_bootstrap.doctor.run import examine
from mlflow_bootstrap.doctor.web import Web

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[2]
SETTINGS = load(ROOT / "environments/production.yaml")
MANIFESTS = committed(PRODUCTION)
JOB = MANIFESTS.of_kind("Job")[0]
DEPLOYMENT = MANIFESTS.of_kind("Deployment")[0]
KUSTOMIZATION = next(i for i in MANIFESTS.delivery["flux"] if i["metadata"]["name"].endswith("application"))
CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        operators.api_server,
        operators.kinds,
        operators.operators,
        operators.secret_store,
        operators.issuer,
        operators.database_cluster,
        ingress.ingress_class,
        ingress.read_timeout,
        capacity.quotas,
        capacity.limit_ranges,
        delivery.delivery,
        delivery.objects,
        delivery.external_secrets,
        delivery.databases,
        workloads.migration,
        workloads.server,
        workloads.cron_jobs,
    )
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[HealthyCluster]:
    with ApiServer() as server:
        yield HealthyCluster.create(server)


@pytest.fixture(autouse=True)
def kubeconfig(cluster: HealthyCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(cluster.server.kubeconfig))


def look(*names: str, settings: Settings = SETTINGS) -> dict[str, Line]:
    """The lines of the named checks, or of all, by their name."""
    examined = Examination(
        name="production",
        settings=settings,
        committed=MANIFESTS,
        cluster=ClusterReader(settings),
        credentials=Credentials(environ={}, ask=None),
        web=Web(environ={}),
    )
    chosen = {name: CHECKS[name] for name in names or CHECKS}
    return {line.name: line for line in examine(examined, chosen, seconds=60)}


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
        name="GitRepository mlflow-production",
        seen="",
        state=State.OK,
    ),
    "delivery fails": Case(
        item=KUSTOMIZATION,
        patch=failed_condition("health check failed after 30s"),
        check="delivery",
        name="Kustomization mlflow-production-application",
        seen="health check failed",
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


def test_doctor_misses_the_delivery(cluster: HealthyCluster) -> None:
    objects = [dict(item) for item in MANIFESTS.delivery["flux"]]
    with cluster.broken(objects[0], None), cluster.broken(objects[1], None), cluster.broken(objects[2], None):
        line = look("delivery")["delivery"]

    assert line.state is State.FAILED
    assert "no Kustomization and no Application" in line.seen


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


def test_doctor_needs_only_its_listed_rights(
    cluster: HealthyCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = json.loads(roles(role_name(SETTINGS), rights(SETTINGS, MANIFESTS)))["items"]
    bindings = [_binding(role) for role in documents]
    account = custom("v1", "ServiceAccount", "doctor", "operators")
    del account["spec"]
    cluster.apply([account, *documents, *bindings])
    limited = cluster.server.account_kubeconfig(tmp_path / "kubeconfig", namespace="operators", name="doctor")
    monkeypatch.setenv("KUBECONFIG", str(limited))

    lines = look()

    assert {name: line for name, line in lines.items() if line.state is not State.OK} == {}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"instance": "staging", "namespace": "staging"}),
        ({}, {"instance": "second", "namespace": "mlflow", "name": "second"}),
        ({"instance": "bbb-ccc", "namespace": "aaa"}, {"instance": "ccc", "namespace": "aaa-bbb"}),
    ],
)
def test_doctor_roles_are_of_one_installation(first: dict[str, str], second: dict[str, str]) -> None:
    both = [Settings.model_validate({**SETTINGS.model_dump(exclude_unset=True), **more}) for more in (first, second)]

    named = [
        {
            (role["kind"], role["metadata"].get("namespace"), role["metadata"]["name"])
            for role in json.loads(roles(role_name(one), rights(one, MANIFESTS)))["items"]
        }
        for one in both
    ]

    assert all(named)
    assert not named[0] & named[1]


def test_doctor_names_a_missing_right(cluster: HealthyCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = custom("v1", "ServiceAccount", "stranger", "operators")
    del account["spec"]
    cluster.apply([account])
    limited = cluster.server.account_kubeconfig(tmp_path / "kubeconfig", namespace="operators", name="stranger")
    monkeypatch.setenv("KUBECONFIG", str(limited))

    line = look("secret_store")["secret_store"]

    assert line.state is State.UNKNOWN
    assert "clustersecretstores/vault-secret-store (Forbidden)" in line.seen
    assert "doctor --rights" in line.do


def _binding(role: Mapping[str, Any]) -> dict[str, Any]:
    subject = {"kind": "ServiceAccount", "name": "doctor", "namespace": "operators"}
    return {
        "apiVersion": role["apiVersion"],
        "kind": f"{role['kind']}Binding",
        "metadata": role["metadata"],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": role["metadata"]["name"]},
        "subjects": [subject],
    }
