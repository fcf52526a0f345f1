"""Settings of pods that cannot work are refused by name."""

from collections.abc import Mapping
from typing import Any

import pytest

from cdk8s_mlflow.settings import Settings
from tests.manifests.objects import MINIMAL
from tests.manifests.refusals import refused


def server(**changes: Any) -> dict[str, Any]:
    return {"server": changes}


ONE = {"name": "a", "kind": "ConfigMap", "source": "a"}

REFUSED: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "own label": ({"labels": {"app.kubernetes.io/name": "x"}}, "labels.app.kubernetes.io/name", "is ours"),
    "own label of pods": (
        {"pods": {"labels": {"app.kubernetes.io/component": "x"}}},
        "pods.labels.app.kubernetes.io/component",
        "is ours",
    ),
    "own annotation": (
        server(pod_annotations={"mlflow.cdk8s.io/configuration-checksum": "1"}),
        "server.pod_annotations.mlflow.cdk8s.io/configuration-checksum",
        "is ours",
    ),
    "annotation of the delivery": (
        server(annotations={"argocd.argoproj.io/sync-wave": "-40"}),
        "server.annotations.argocd.argoproj.io/sync-wave",
        "is ours",
    ),
    "delivery of the Service": (
        server(service={"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}),
        "server.service.annotations.kustomize.toolkit.fluxcd.io/reconcile",
        "is ours",
    ),
    "annotation that Kubernetes writes": (
        server(annotations={"deployment.kubernetes.io/revision": "9"}),
        "server.annotations.deployment.kubernetes.io/revision",
        "writes itself",
    ),
    "annotation of kubectl": (
        server(service_account_annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"}),
        "server.service_account_annotations.kubectl.kubernetes.io/last-applied-configuration",
        "writes itself",
    ),
    "annotation that is read no more": (
        {"pods": {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}}},
        "pods.annotations.seccomp.security.alpha.kubernetes.io/pod",
        "has not read since",
    ),
    "pods that Pod Security refuses": (
        server(pod_annotations={"container.apparmor.security.beta.kubernetes.io/mlflow": "unconfined"}),
        "server.pod_annotations.container.apparmor.security.beta.kubernetes.io/mlflow",
        "takes no pod",
    ),
    "label that Kubernetes writes": (
        {"pods": {"labels": {"pod-template-hash": "x"}}},
        "pods.labels.pod-template-hash",
        "writes itself",
    ),
    "label of Jobs": (
        {"pods": {"labels": {"batch.kubernetes.io/job-name": "x"}}},
        "pods.labels.batch.kubernetes.io/job-name",
        "writes itself",
    ),
    "name of the namespace": (
        {"labels": {"kubernetes.io/metadata.name": "x"}},
        "labels.kubernetes.io/metadata.name",
        "writes itself",
    ),
    "label of Flux": (
        {"labels": {"kustomize.toolkit.fluxcd.io/name": "x"}},
        "labels.kustomize.toolkit.fluxcd.io/name",
        "what it has applied",
    ),
    "label of Argo CD": (
        {"monitoring": {"labels": {"argocd.argoproj.io/instance": "x"}}},
        "monitoring.labels.argocd.argoproj.io/instance",
        "what it has applied",
    ),
    "namespace of Prometheus": ({"namespace": "monitoring"}, "namespace", "as monitoring.namespace is"),
    "namespace of Flux": (
        {"namespace": "flux-system", "delivery": {"tools": ("flux",)}},
        "namespace",
        "as delivery.flux_namespace is",
    ),
    "namespace of OpenShift": ({"namespace": "openshift-dns"}, "namespace", "keeps for itself"),
    "label with a space": ({"labels": {"team": "a b"}}, "labels.team", "must look like"),
    "address with a port": (
        {"pods": {"host_aliases": {"10.0.0.7:443": ("auth.example.com",)}}},
        "pods.host_aliases.10.0.0.7:443",
        "must be an IP address",
    ),
    "address without names": ({"pods": {"host_aliases": {"10.0.0.7": ()}}}, "pods.host_aliases.10.0.0.7", "at least 1"),
    "label too long": ({"pods": {"labels": {"team": "a" * 64}}}, "pods.labels.team", "must look like"),
    "label without a name": ({"labels": {"example.com/": "a"}}, "labels.example.com/", "must look like"),
    "owned variable": (
        server(value_from={"AWS_REGION": {"name": "a", "key": "b"}}),
        "server.value_from.AWS_REGION",
        "follows from artifacts.region",
    ),
    "unknown variable": (
        server(value_from={"OUR_THING": {"name": "a", "key": "b"}}),
        "server.value_from.OUR_THING",
        "not known to be harmless",
    ),
    "variable twice": (
        server(extra_environment={"LANG": "C"}, value_from={"LANG": {"name": "a", "key": "b"}}),
        "server.value_from.LANG",
        "is in server.extra_environment too",
    ),
    "volume that nothing mounts": (server(volumes=(ONE,)), "server.volumes", "nothing mounts"),
    "mount of no volume": (server(mounts=({"volume": "a", "path": "/a"},)), "server.mounts", "not in server.volumes"),
    "mount over our Secrets": (
        server(volumes=(ONE,), mounts=({"volume": "a", "path": "/var/run/secrets/mlflow/db"},)),
        "server.mounts",
        "our own Secrets",
    ),
    "mount above our Secrets": (
        server(volumes=(ONE,), mounts=({"volume": "a", "path": "/var/run"},)),
        "server.mounts",
        "our own Secrets",
    ),
    "mount over scratch files": (
        server(volumes=(ONE,), mounts=({"volume": "a", "path": "/tmp"},)),
        "server.mounts",
        "scratch files",
    ),
    "mount over code": (
        server(volumes=(ONE,), mounts=({"volume": "a", "path": "/usr/local/lib"},)),
        "server.mounts",
        "files of the image",
    ),
    "mount with dots": (
        server(volumes=(ONE,), mounts=({"volume": "a", "path": "/data/../tmp"},)),
        "server.mounts[0].path",
        "must look like",
    ),
    "path twice": (
        server(volumes=(ONE,), mounts=({"volume": "a", "path": "/a"},) * 2),
        "server.mounts",
        "has /a twice",
    ),
    "EmptyDir without size": (
        server(volumes=({"name": "a", "kind": "EmptyDir"},), mounts=({"volume": "a", "path": "/a"},)),
        "server.volumes",
        "has a size and no source",
    ),
    "claim with size": (
        server(
            volumes=({"name": "a", "kind": "PersistentVolumeClaim", "source": "a", "size": "1Gi"},),
            mounts=({"volume": "a", "path": "/a"},),
        ),
        "server.volumes",
        "has a source and no size",
    ),
    "sidecar called as ours": (server(sidecars=({"name": "mlflow", "image": "a:1"},)), "server.sidecars", "is ours"),
    "sidecar twice": (
        server(sidecars=({"name": "a", "image": "a:1"},), init_containers=({"name": "a", "image": "a:1"},)),
        "server.sidecars",
        "has a twice",
    ),
    "sidecar without tag": (server(sidecars=({"name": "a", "image": "a"},)), "server.sidecars[0].image", "registry"),
    "nodes without values": (server(node_affinity=({"key": "a"},)), "server.node_affinity.a", "has no values"),
    "nodes with values too many": (
        server(node_affinity=({"key": "a", "operator": "Exists", "values": ("b",)},)),
        "server.node_affinity.a",
        "takes none",
    ),
    "nodes above no number": (
        server(node_affinity=({"key": "a", "operator": "Gt", "values": ("b",)},)),
        "server.node_affinity.a",
        "one whole number",
    ),
    "spread twice": (
        server(topology_spread=({"topology_key": "a"}, {"topology_key": "a"})),
        "server.topology_spread",
        "has a twice",
    ),
    "no surge, none away": (server(max_surge=0), "server.max_surge", "nothing could be replaced"),
    "surge of Recreate": (server(strategy="Recreate", max_surge=1), "server.max_surge", "has no effect"),
    "own user on OpenShift": (
        {"ingress": {"host": "mlflow.example.com", "controller": "openshift"}},
        "server.user_id",
        "SCC restricted-v2",
    ),
    "ranges of a ClusterIP": (
        server(service={"source_ranges": ("10.0.0.0/8",)}),
        "server.service.source_ranges",
        "has no effect",
    ),
    "NodePort that no one reaches": (
        server(service={"type": "NodePort"}),
        "network.ingress_cidrs",
        "lets none through",
    ),
    "annotations of another's account": (
        server(service_account="a", service_account_annotations={"a": "b"}),
        "server.service_account_annotations",
        "annotate it there",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_pod_settings_refuse_what_cannot_work(name: str) -> None:
    changes, key, message = REFUSED[name]

    found = refused(**changes)

    assert message in found[key], found


def test_metadata_of_others_is_taken_where_it_works() -> None:
    changes: Mapping[str, Any] = {
        "namespace": "monitoring",
        "manage_namespace": False,
        "labels": {"argocd.argoproj.io/managed-by": "openshift-gitops"},
        "pods": {"annotations": {"container.apparmor.security.beta.kubernetes.io/mlflow": "runtime/default"}},
        "monitoring": {"labels": {"app.kubernetes.io/part-of": "monitoring"}},
        "delivery": {"tools": ("argocd",)},
    }

    assert Settings.model_validate({**MINIMAL, **changes}).namespace == "monitoring"
