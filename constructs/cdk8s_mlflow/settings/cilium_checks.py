"""Cilium as the ingress controller: its requests come from no pod that a NetworkPolicy can select.

Source: Cilium's documentation, "Ingress and Network Policy Example": the Envoy of each node speaks to backends with the
reserved identity ``ingress``, which only a CiliumNetworkPolicy names (``fromEntities``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings


def cilium_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message if requests come from Cilium's Envoy, and the policies would let none through."""
    ingress, network = settings.ingress, settings.network
    # Whoever adds rules of their own has seen to it.
    if not ingress.enabled or not network.policies or network.extra_ingress:
        return
    parents = ingress.gateway.parents if ingress.gateway else ()
    named = {
        "ingress.class_name": (ingress.class_name,),
        "ingress.gateway.parents": tuple(text for parent in parents for text in (parent.name, parent.namespace)),
        "network.ingress_pod_labels": tuple((network.ingress_pod_labels or {}).values()),
    }
    for key, texts in named.items():
        if any("cilium" in (text or "") for text in texts):
            yield (
                key,
                "is Cilium's, whose requests come from the Envoy of each node, which no NetworkPolicy can name, so "
                "that none would arrive; add a CiliumNetworkPolicy (docs/clusters.md, Cilium) and name a peer of yours "
                "in network.extra_ingress, or set network.policies to false",
            )
            return
