"""Flux applies what dist/ says, in order, and keeps it so."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from deployment import Deployment

from live.node.flux import Flux
from live.node.node import Node

pytestmark = [pytest.mark.servers, pytest.mark.either_release]


def test_flux_delivers_both_parts(deployment: Deployment, node: Node) -> None:
    namespace = ["--namespace", deployment.namespace]

    (job,) = node.get("jobs", "--selector", "app.kubernetes.io/component=migration", *namespace)["items"]
    server = node.get("deployment", "mlflow", *namespace)
    wanted = deployment.settings.server.replicas
    assert job["status"]["succeeded"] == 1
    assert (server["status"]["availableReplicas"], server["spec"]["replicas"]) == (wanted, wanted)


def test_pods_run_the_committed_image(deployment: Deployment) -> None:
    statuses = [status for pod in deployment.pods("tracking-server") for status in pod["status"]["containerStatuses"]]
    listed = deployment.node.images()

    # A kubelet names an image by any of its references; the identity counts.
    assert {listed[status["image"]] for status in statuses} == {listed[deployment.settings.image_reference]}


def test_flux_mends_a_scaled_deployment(deployment: Deployment, node: Node, flux: Flux) -> None:
    namespace = ["--namespace", deployment.namespace]
    wanted = deployment.settings.server.replicas
    node.kubectl("scale", "deployment/mlflow", f"--replicas={wanted + 2}", *namespace)

    # Otherwise Flux looks again only at its interval.
    flux.reconcile(f"{deployment.source}-application")

    node.wait(
        "the number of replicas",
        lambda: node.get("deployment", "mlflow", *namespace)["spec"]["replicas"] == wanted,
    )


def test_second_apply_changes_nothing(deployment: Deployment, node: Node) -> None:
    before = generations(node, deployment)

    node.apply(deployment.manifests / "application")

    assert generations(node, deployment) == before


def generations(node: Node, deployment: Deployment) -> Mapping[tuple[str, str], Any]:
    """By kind and name; only kinds whose generation counts changes of the specification."""
    kinds = "networkpolicies,deployments,cronjobs,ingresses,externalsecrets,middlewares.traefik.io"
    items = node.get(kinds, "--namespace", deployment.namespace)["items"]
    return {(item["kind"], item["metadata"]["name"]): item["metadata"]["generation"] for item in items}


def test_environments_share_no_object(deployments: Mapping[str, Deployment]) -> None:
    owned = [
        {
            (o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"])
            for file in deployment.manifests.rglob("*.yaml")
            for o in yaml.safe_load_all(file.read_text())
        }
        for deployment in deployments.values()
    ]

    assert all(owned)
    assert set.intersection(*owned) == set()
