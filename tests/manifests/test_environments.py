"""The committed examples for other clusters are what they promise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.manifests.objects import Objects

ROOT = Path(__file__).parents[2]


def kinds(objects: Objects) -> set[str]:
    return {kind for kind, _, _ in objects}


def pods(objects: Objects) -> list[dict[str, Any]]:
    found = [o["spec"]["template"]["spec"] for (kind, _, _), o in objects.items() if kind in ("Deployment", "Job")]
    crons = [o["spec"]["jobTemplate"]["spec"] for (kind, _, _), o in objects.items() if kind == "CronJob"]
    return found + [spec["template"]["spec"] for spec in crons]


def test_openshift_assigns_users_and_certificates(committed: Mapping[str, Objects]) -> None:
    objects = committed["openshift"]

    ingress = objects["Ingress", "mlflow-openshift", "mlflow"]
    assert not any("runAsUser" in pod["securityContext"] for pod in pods(objects))
    assert ingress["spec"]["ingressClassName"] == "openshift-default"
    assert "tls" not in ingress["spec"]
    assert {where for kind, where, _ in objects if kind == "Application"} == {"openshift-gitops"}
    assert not kinds(objects) & {"Middleware", "GitRepository"}


def test_eks_keeps_no_keys_of_s3(committed: Mapping[str, Objects]) -> None:
    objects = committed["eks"]

    volumes = {v["secret"]["secretName"] for pod in pods(objects) for v in pod["volumes"] if "secret" in v}
    policy = objects["NetworkPolicy", "mlflow-eks", "mlflow-tracking-server"]["spec"]
    peers = [peer for rule in policy["egress"] for peer in rule["to"]]
    assert "mlflow-s3-secret" not in volumes
    assert {"ipBlock": {"cidr": "169.254.170.23/32"}} in peers
    assert {"ipBlock": {"cidr": "10.20.64.0/20"}} in peers
    assert not kinds(objects) & {"ExternalSecret", "Database", "DatabaseRole", "Middleware"}
    assert policy["ingress"][0]["from"] == [{"ipBlock": {"cidr": "10.20.0.0/20"}}]


def test_gateway_routes_and_scales(committed: Mapping[str, Objects]) -> None:
    objects = committed["gateway"]

    route = objects["HTTPRoute", "mlflow-gateway", "mlflow"]["spec"]
    scaler = objects["HorizontalPodAutoscaler", "mlflow-gateway", "mlflow"]["spec"]
    assert route["parentRefs"][0]["namespace"] == "gateways"
    assert len(route["hostnames"]) == 2
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    assert "replicas" not in objects["Deployment", "mlflow-gateway", "mlflow"]["spec"]
    assert not kinds(objects) & {"Ingress", "Middleware"}


@pytest.mark.parametrize("name", ["openshift", "eks", "gateway"])
def test_every_example_is_described(name: str) -> None:
    assert f"environments/{name}.yaml" in (ROOT / "docs" / "clusters.md").read_text()
