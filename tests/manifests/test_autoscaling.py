"""Scaling by load: one owner of the number of pods, within the budget of connections."""

from collections.abc import Mapping
from typing import Any

import pytest

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.synth.diff.effects import field_effects
from cdk8s_mlflow.synth.diff.fields import FieldChange
from cdk8s_mlflow.synth.diff.objects import Identity, ObjectChange
from tests.manifests.objects import MINIMAL, Render
from tests.manifests.refusals import refused

SCALED: Mapping[str, Any] = {
    "release": "3.17.2",
    "server": {"autoscaling": {"max_replicas": 4}},
    "database": {"max_connections": 166},
}


def scaled(*, release: str = "3.17.2", connections: int = 1000, **server: Any) -> dict[str, Any]:
    return {"release": release, "server": server, "database": {"max_connections": connections}}


def test_autoscaler_owns_number_of_pods(rendered: Render) -> None:
    objects = rendered(**SCALED)

    autoscaler = objects["HorizontalPodAutoscaler", "mlflow", "mlflow"]
    deployment = objects["Deployment", "mlflow", "mlflow"]
    target = autoscaler["spec"]["scaleTargetRef"]
    assert (target["apiVersion"], target["kind"], target["name"]) == ("apps/v1", "Deployment", "mlflow")
    assert autoscaler["apiVersion"] == "autoscaling/v2"
    assert (autoscaler["spec"]["minReplicas"], autoscaler["spec"]["maxReplicas"]) == (2, 4)
    # Flux and Argo CD would set the number back at each sync.
    assert "replicas" not in deployment["spec"]


def test_autoscaler_measures_cpu_against_requests(rendered: Render) -> None:
    objects = rendered(**SCALED)

    (metric,) = objects["HorizontalPodAutoscaler", "mlflow", "mlflow"]["spec"]["metrics"]
    containers = objects["Deployment", "mlflow", "mlflow"]["spec"]["template"]["spec"]["containers"]
    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 65}}
    assert all("cpu" in container["resources"]["requests"] for container in containers)


def test_autoscaler_reads_metrics_of_pods(rendered: Render) -> None:
    metric = {"name": "mlflow_http_requests_per_second", "average_value": "20"}
    changes = {**SCALED, "server": {"autoscaling": {"max_replicas": 4, "pod_metrics": (metric,)}}}

    metrics = rendered(**changes)["HorizontalPodAutoscaler", "mlflow", "mlflow"]["spec"]["metrics"]

    assert metrics[1]["pods"]["metric"] == {"name": metric["name"]}
    assert metrics[1]["pods"]["target"] == {"type": "AverageValue", "averageValue": "20"}


def test_autoscaler_stops_pods_after_their_grace_period(rendered: Render) -> None:
    objects = rendered(**SCALED)

    behavior = objects["HorizontalPodAutoscaler", "mlflow", "mlflow"]["spec"]["behavior"]
    pod = objects["Deployment", "mlflow", "mlflow"]["spec"]["template"]["spec"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= pod["terminationGracePeriodSeconds"]
    assert behavior["scaleDown"]["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]


@pytest.mark.parametrize("least", [1, 2])
def test_autoscaler_leaves_drains_possible(rendered: Render, least: int) -> None:
    changes = {**SCALED, "server": {"autoscaling": {"min_replicas": least, "max_replicas": 4}}}

    budget = rendered(**changes)["PodDisruptionBudget", "mlflow", "mlflow"]["spec"]

    assert budget["maxUnavailable"] == 1
    # With one pod, ``minAvailable: 1`` would keep a node from being drained for ever.
    assert "minAvailable" not in budget


def test_autoscaler_is_absent_by_default(rendered: Render) -> None:
    objects = rendered()

    assert not any(kind == "HorizontalPodAutoscaler" for kind, _, _ in objects)
    assert objects["Deployment", "mlflow", "mlflow"]["spec"]["replicas"] == 1


def test_connection_budget_counts_most_replicas() -> None:
    found = refused(**scaled(autoscaling={"max_replicas": 4}, connections=165))

    assert "is 165, but 4 replicas with 1 workers, one of surge" in found["database.max_connections"]
    Settings.model_validate({**MINIMAL, **scaled(autoscaling={"max_replicas": 4}, connections=166)})


REFUSED: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "replicas too": (scaled(replicas=3, autoscaling={}), "server.replicas", "remove it"),
    "no room": (
        scaled(autoscaling={"min_replicas": 4, "max_replicas": 4}),
        "server.autoscaling.max_replicas",
        "set server.replicas instead",
    ),
    "most below least": (
        scaled(autoscaling={"min_replicas": 5, "max_replicas": 2}),
        "server.autoscaling.max_replicas",
        "raise it",
    ),
    "sessions in each pod": (
        scaled(release="3.6.0", autoscaling={}),
        "server.autoscaling.max_replicas",
        "keeps sessions in each pod",
    ),
    "window below grace": (
        scaled(termination_grace_seconds=600, autoscaling={}),
        "server.autoscaling.scale_down_window_seconds",
        "shorter than server.termination_grace_seconds 600",
    ),
    "no cpu request": (
        scaled(resources={"cpu_request": "0m"}, autoscaling={}),
        "server.resources.cpu_request",
        "measures CPU against it",
    ),
    "metric twice": (
        scaled(autoscaling={"pod_metrics": ({"name": "a", "average_value": "1"},) * 2}),
        "server.autoscaling.pod_metrics",
        "names a twice",
    ),
    "one at most": (scaled(autoscaling={"max_replicas": 1}), "server.autoscaling.max_replicas", "greater than"),
    "no percentage": (scaled(autoscaling={"cpu_percent": 0}), "server.autoscaling.cpu_percent", "greater than"),
    "bad metric": (
        scaled(autoscaling={"pod_metrics": ({"name": "a b", "average_value": "1"},)}),
        "server.autoscaling.pod_metrics[0].name",
        "must look like",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_autoscaling_refuses_what_cannot_work(name: str) -> None:
    changes, key, message = REFUSED[name]

    assert message in refused(**changes)[key]


def test_diff_names_command_of_hand_over() -> None:
    deployment = Identity(folder="application", kind="Deployment", name="mlflow")
    change = ObjectChange(identity=deployment, state="changed", before={}, after={}, fields=())

    (effect,) = field_effects(change, FieldChange("spec.replicas", 2, None))

    assert "docs/tasks/scale.md" in effect.text
