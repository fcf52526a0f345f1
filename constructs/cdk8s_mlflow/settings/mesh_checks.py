"""Service meshes: a proxy in a pod of ours reaches nothing that our NetworkPolicies do not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.metadata_checks import annotations_of_pods, labels_of_pods
from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings

_OUTSIDE = frozenset({"", "false", "disabled", "none"})
"""Values with which a pod stays outside."""

_INJECTS = {
    # istio.io, "Installing the Sidecar" and "Add workloads to the mesh".
    "sidecar.istio.io/inject": "Istio",
    "istio-injection": "Istio",
    "istio.io/rev": "Istio",
    "istio.io/dataplane-mode": "Istio",
    # linkerd.io, "Automatic Proxy Injection".
    "linkerd.io/inject": "Linkerd",
    # kuma.io, "Data plane on Kubernetes".
    "kuma.io/sidecar-injection": "Kuma",
    # developer.hashicorp.com, "Annotations and Labels" of Consul on Kubernetes.
    "consul.hashicorp.com/connect-inject": "Consul",
}
"""Labels and annotations that take a pod into a mesh."""


def mesh_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each name by which pods would become part of a mesh that they cannot reach."""
    network = settings.network
    # Whoever names the mesh in the policies knows what it needs.
    if not network.policies or network.extra_egress:
        return
    for key, names in {**labels_of_pods(settings), **annotations_of_pods(settings)}.items():
        for name, value in names.items():
            if name in _INJECTS and value.lower() not in _OUTSIDE:
                yield (
                    f"{key}.{name}",
                    f"takes pods into {_INJECTS[name]}, whose control plane our NetworkPolicies close, so that no pod "
                    "would become ready; remove it, or allow the control plane in network.extra_egress "
                    "(docs/clusters.md, Service meshes)",
                )
