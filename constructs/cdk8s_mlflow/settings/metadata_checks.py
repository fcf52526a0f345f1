"""Labels, annotations and a namespace that others read or write: what is theirs cannot be ours to set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings

_OURS = "begins with {}, which is ours; remove it"
_DELIVERY = "is {}, by which Flux or Argo CD knows what it has applied; remove it"
_KUBERNETES = "is {}, which Kubernetes writes itself; remove it"
_UNREAD = "is {}, which Kubernetes has not read since 1.27; remove it, each pod of ours has the profile RuntimeDefault"

Reasons = Mapping[str, str]
"""A name, or the beginning of names if it ends with a slash, and why it is refused."""

_LABELS_OF_OTHERS: Reasons = {
    "kustomize.toolkit.fluxcd.io/": _DELIVERY,
    # Not all of them: OpenShift GitOps asks for argocd.argoproj.io/managed-by.
    "argocd.argoproj.io/instance": _DELIVERY,
    # kubernetes.io, "Well-Known Labels, Annotations and Taints".
    "kubernetes.io/metadata.name": _KUBERNETES,
    **dict.fromkeys(("pod-template-hash", "controller-revision-hash", "controller-uid", "job-name"), _KUBERNETES),
    **dict.fromkeys(("apps.kubernetes.io/", "batch.kubernetes.io/", "statefulset.kubernetes.io/"), _KUBERNETES),
}
# By prefix: a label of ours that is not written today may be tomorrow.
_LABELS: Reasons = {
    **dict.fromkeys(("app.kubernetes.io/", "pod-security.kubernetes.io/", "cnpg.io/"), _OURS),
    **_LABELS_OF_OTHERS,
}
_ANNOTATIONS: Reasons = {
    # They steer the delivery, whose order keeps the server behind the migration.
    **dict.fromkeys(
        ("mlflow.cdk8s.io/", "argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/", "cdk8s-mlflow/"), _OURS
    ),
    "kubectl.kubernetes.io/last-applied-configuration": _KUBERNETES,
    **dict.fromkeys(("batch.kubernetes.io/", "deployment.kubernetes.io/"), _KUBERNETES),
    **dict.fromkeys(
        ("seccomp.security.alpha.kubernetes.io/", "container.seccomp.security.alpha.kubernetes.io/"), _UNREAD
    ),
}
EVICTION = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""Whether the cluster autoscaler may evict a pod although it has an emptyDir."""
_OF_EACH_KIND = (
    "has no effect on pods of our image, each kind of which has its own; remove it, and set that of the server in "
    "server.pod_annotations"
)
_AZURE = "azure.workload.identity/use"
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def metadata_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each name that is not the file's to give."""
    yield from _labels(settings)
    yield from _annotations(settings)
    yield from _namespace(settings)


def labels_of_pods(settings: EnvironmentSettings) -> dict[str, Mapping[str, str]]:
    """By the key that gives them."""
    pods, server = settings.pods, settings.server
    return {"labels": settings.labels, "pods.labels": pods.labels, "server.pod_labels": server.pod_labels}


def annotations_of_pods(settings: EnvironmentSettings) -> dict[str, Mapping[str, str]]:
    """By the key that gives them."""
    pods, server = settings.pods, settings.server
    return {"pods.annotations": pods.annotations, "server.pod_annotations": server.pod_annotations}


def _labels(settings: EnvironmentSettings) -> Iterator[Conflict]:
    monitoring = settings.monitoring
    for key, labels in labels_of_pods(settings).items():
        yield from _refused(key, labels, _LABELS)
        if settings.uses_azure_identity and labels.get(_AZURE, "true") != "true":
            yield f"{key}.{_AZURE}", "has no effect, since it follows from artifacts.credentials; remove it"
    # By these Prometheus and Grafana select, whatever they are called.
    selected = {"monitoring.labels": monitoring.labels, "monitoring.dashboard_labels": monitoring.dashboard_labels}
    for key, labels in selected.items():
        yield from _refused(key, labels, _LABELS_OF_OTHERS)


def _annotations(settings: EnvironmentSettings) -> Iterator[Conflict]:
    server = settings.server
    of_pods = annotations_of_pods(settings)
    of_objects = {
        "server.annotations": server.annotations,
        "server.service.annotations": server.service.annotations,
        "server.service_account_annotations": server.service_account_annotations,
        "ingress.annotations": settings.ingress.annotations,
    }
    for key, given in {**of_pods, **of_objects}.items():
        yield from _refused(key, given, _ANNOTATIONS)
    if EVICTION in settings.pods.annotations:
        yield f"pods.annotations.{EVICTION}", _OF_EACH_KIND
    for key, given in of_pods.items():
        for name, value in given.items():
            if name.startswith(_APPARMOR) and value == "unconfined":
                yield f"{key}.{name}", "is unconfined, with which the namespace's Pod Security takes no pod; remove it"


def _refused(key: str, names: Mapping[str, str], reasons: Reasons) -> Iterator[Conflict]:
    for name in names:
        for known, reason in reasons.items():
            if name == known or (known.endswith("/") and name.startswith(known)):
                yield f"{key}.{name}", reason.format(known if reason == _OURS else name)


def _namespace(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Ours gets the labels of Pod Security that our pods pass, and others' pods may not."""
    name = settings.namespace
    # openshift.io, "Creating a project": names that begin with these are kept for its own.
    if name.startswith(("kube-", "openshift-")) or name == "openshift":
        yield "namespace", f"is {name}, which Kubernetes or OpenShift keeps for itself; name another"
    elif settings.manage_namespace and name == "default":
        yield (
            "namespace",
            f"is {name}, which Kubernetes keeps for itself; name another, or set manage_namespace to false",
        )
    elif settings.manage_namespace:
        for key, other in _namespaces_of_others(settings).items():
            if name == other:
                yield (
                    "namespace",
                    f"is {name}, as {key} is, and its Pod Security would become restricted, which may stop pods of "
                    "others in it; name another, or set manage_namespace to false",
                )


def _namespaces_of_others(settings: EnvironmentSettings) -> Mapping[str, str]:
    delivery, monitoring = settings.delivery, settings.monitoring
    used = {
        "delivery.flux_namespace": (delivery.flux_namespace, "flux" in delivery.tools),
        "delivery.argocd_namespace": (delivery.argocd_namespace, "argocd" in delivery.tools),
        "monitoring.namespace": (monitoring.namespace, monitoring.service_monitor or monitoring.rules),
    }
    return {key: name for key, (name, is_used) in used.items() if is_used}
