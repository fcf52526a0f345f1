"""Names, labels, waves and guards, the same on every object."""

from collections.abc import Mapping
from typing import Literal

from cdk8s import ApiObjectMetadata
from cdk8s_plus_27 import k8s

from cdk8s_mlflow.settings.instance import INSTANCE_LABEL
from cdk8s_mlflow.settings.metadata_checks import EVICTION

Component = Literal["tracking-server", "migration", "maintenance", "end-access", "backup", "tunnel"]

# Argo CD applies a wave once the one before is healthy; the server is in wave 0, which needs no annotation.
WAVE_NAMESPACE = -30
WAVE_CONFIGURATION = -20
# CloudNativePG reports a Database whose owner is missing as failed, so the role comes first.
WAVE_ROLE = -12
WAVE_DATABASE = -10
WAVE_BACKUP = -8
WAVE_MIGRATION = -5

NAME_LABEL = "app.kubernetes.io/name"
"""Label of every object, its value ``name`` of the settings."""


def chart_labels(*, name: str, instance: str) -> dict[str, str]:
    """Labels of every object of a chart."""
    return {NAME_LABEL: name, INSTANCE_LABEL: instance}


def selector(component: Component, name: str) -> dict[str, str]:
    """Labels that pods of ``component`` have and no others in their namespace.

    Immutable in a Deployment, and without the instance: two in one namespace have two names.
    """
    return {NAME_LABEL: name, "app.kubernetes.io/component": component}


def labels(component: Component | None = None) -> dict[str, str]:
    """Labels of an object of ``component``, without those that its chart adds."""
    own = {"app.kubernetes.io/component": component} if component else {}
    return {"app.kubernetes.io/part-of": "mlflow", **own}


def pod_labels(component: Component, *, name: str, instance: str) -> dict[str, str]:
    """Labels of the pods of ``component``, which get none from a chart."""
    return {**labels(component), **chart_labels(name=name, instance=instance)}


def annotations(*, wave: int = 0, more: Mapping[str, str] | None = None) -> dict[str, str] | None:
    """Annotations of an object that Argo CD applies in ``wave``; None if there are none."""
    # Wave 0 is Argo CD's default.
    found = {**({"argocd.argoproj.io/sync-wave": str(wave)} if wave else {}), **(more or {})}
    return found or None


def eviction(*, safe: bool) -> dict[str, str]:
    """Whether the cluster autoscaler may evict a pod although it has an emptyDir, which only holds scratch files.

    Source: Kubernetes cluster autoscaler FAQ, "What types of pods can prevent CA from removing a node".
    """
    return {EVICTION: str(safe).lower()}


def metadata(
    name: str,
    *,
    namespace: str | None = None,
    component: Component | None = None,
    wave: int = 0,
    more: Mapping[str, str] | None = None,
) -> k8s.ObjectMeta:
    """Metadata of a core object; ``more`` are annotations."""
    return k8s.ObjectMeta(
        name=name,
        namespace=namespace,
        labels=labels(component),
        annotations=annotations(wave=wave, more=more),
    )


def resource_metadata(
    name: str,
    *,
    namespace: str,
    component: Component | None = None,
    wave: int = 0,
    more: Mapping[str, str] | None = None,
    more_labels: Mapping[str, str] | None = None,
) -> ApiObjectMetadata:
    """Metadata of a custom resource; ``more`` are annotations."""
    return ApiObjectMetadata(
        name=name,
        namespace=namespace,
        labels={**labels(component), **(more_labels or {})},
        annotations=annotations(wave=wave, more=more),
    )
