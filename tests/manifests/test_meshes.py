"""Pods go into a service mesh only where the policies know it."""

from typing import Any

import pytest

from cdk8s_mlflow.settings import Settings
from tests.manifests.conftest import merged
from tests.manifests.objects import MINIMAL
from tests.manifests.refusals import refused

KUMA = {"kuma.io/sidecar-injection": "enabled"}
ISTIOD = {"namespace": "istio-system", "pod_labels": {"app": "istiod"}, "ports": ({"port": 15012},)}

TAKEN_IN: list[tuple[str, dict[str, Any]]] = [
    ("pods.labels.sidecar.istio.io/inject", {"pods": {"labels": {"sidecar.istio.io/inject": "true"}}}),
    ("pods.annotations.sidecar.istio.io/inject", {"pods": {"annotations": {"sidecar.istio.io/inject": "True"}}}),
    ("labels.istio-injection", {"labels": {"istio-injection": "enabled"}}),
    ("labels.istio.io/rev", {"labels": {"istio.io/rev": "canary"}}),
    ("pods.labels.istio.io/dataplane-mode", {"pods": {"labels": {"istio.io/dataplane-mode": "ambient"}}}),
    ("server.pod_annotations.linkerd.io/inject", {"server": {"pod_annotations": {"linkerd.io/inject": "ingress"}}}),
    (
        "server.pod_labels.kuma.io/sidecar-injection",
        {"server": {"pod_labels": KUMA}},
    ),
    (
        "pods.annotations.consul.hashicorp.com/connect-inject",
        {"pods": {"annotations": {"consul.hashicorp.com/connect-inject": "true"}}},
    ),
]


@pytest.mark.parametrize(("key", "changes"), TAKEN_IN, ids=str)
def test_mesh_that_policies_close_is_refused(key: str, changes: dict[str, Any]) -> None:
    found = refused(**merged(MINIMAL, changes))

    assert list(found) == [key]
    assert "network.extra_egress" in found[key]


@pytest.mark.parametrize(
    "changes",
    [
        {"pods": {"labels": {"sidecar.istio.io/inject": "false", "istio.io/dataplane-mode": "none"}}},
        {"pods": {"annotations": {"linkerd.io/inject": "disabled"}}},
        {"pods": {"annotations": {"sidecar.istio.io/proxyCPU": "100m"}}},
        {**TAKEN_IN[0][1], "network": {"policies": False}},
        {**TAKEN_IN[0][1], "network": {"extra_egress": (ISTIOD,)}},
    ],
    ids=str,
)
def test_pods_may_stay_outside_a_mesh(changes: dict[str, Any]) -> None:
    assert Settings.model_validate(merged(MINIMAL, changes))
