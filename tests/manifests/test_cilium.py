"""Cilium's own ingress, whose requests no NetworkPolicy can name."""

from typing import Any

import pytest

from cdk8s_mlflow.settings import Settings
from tests.manifests.conftest import merged
from tests.manifests.objects import MINIMAL
from tests.manifests.refusals import refused

IN_KUBE_SYSTEM = {"ingress_namespace": "kube-system"}
OTHER = {"controller": "other", "class_name": "edge"}
CILIUM = {"controller": "other", "class_name": "cilium"}
PEER = {"namespace": "monitoring", "ports": ({"port": 5000},)}

UNREACHED: list[tuple[str, dict[str, Any]]] = [
    ("ingress.class_name", {"ingress": CILIUM, "network": IN_KUBE_SYSTEM}),
    ("ingress.class_name", {"ingress": CILIUM, "network": {"ingress_cidrs": ("10.0.0.0/8",)}}),
    (
        "ingress.gateway.parents",
        {
            "ingress": {"controller": "other", "gateway": {"parents": ({"name": "cilium-public"},)}},
            "network": IN_KUBE_SYSTEM,
        },
    ),
    (
        "network.ingress_pod_labels",
        {"ingress": OTHER, "network": {**IN_KUBE_SYSTEM, "ingress_pod_labels": {"k8s-app": "cilium-envoy"}}},
    ),
]


@pytest.mark.parametrize(("key", "changes"), UNREACHED, ids=str)
def test_policies_that_close_cilium_are_refused(key: str, changes: dict[str, Any]) -> None:
    found = refused(**merged(MINIMAL, changes))

    assert list(found) == [key]
    assert "CiliumNetworkPolicy" in found[key]


@pytest.mark.parametrize(
    "changes",
    [
        {"ingress": CILIUM, "network": {"policies": False}},
        {"ingress": CILIUM, "network": {**IN_KUBE_SYSTEM, "extra_ingress": (PEER,)}},
        {"ingress": {"enabled": False, "class_name": None}, "network": {"ingress_pod_labels": {"k8s-app": "cilium"}}},
        {"ingress": OTHER, "network": IN_KUBE_SYSTEM},
    ],
    ids=str,
)
def test_cilium_with_policies_of_its_own_is_taken(changes: dict[str, Any]) -> None:
    assert Settings.model_validate(merged(MINIMAL, changes))
