"""What settings add to pods and objects, and what of it is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cdk8s_mlflow import __version__
from cdk8s_mlflow.project.upgrade import written_by
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.synth.render import render
from cdk8s_mlflow.validation import validate
from tests.manifests.objects import MINIMAL, Objects, Render
from tests.manifests.refusals import refused

DEPLOYMENT = ("Deployment", "mlflow", "mlflow")
SERVICE = ("Service", "mlflow", "mlflow")
VOLUMES = (
    {"name": "rules", "kind": "ConfigMap", "source": "mlflow-rules"},
    {"name": "login", "kind": "Secret", "source": "proxy-login"},
    {"name": "models", "kind": "PersistentVolumeClaim", "source": "models"},
    {"name": "scratch", "kind": "EmptyDir", "size": "1Gi"},
)

MOUNTS = ({"volume": "rules", "path": "/rules"}, {"volume": "models", "path": "/data/models", "sub_path": "a"})
SIDECAR = {
    "name": "shipper",
    "image": "registry.example.com/shipper:1",
    "arguments": ("--verbose",),
    "environment": {"LEVEL": "info"},
    "value_from": {"TOKEN_FILE_NAME": {"name": "shipper", "key": "name", "kind": "ConfigMap"}},
    "mounts": ({"volume": "login", "path": "/login"}, {"volume": "scratch", "path": "/scratch", "read_only": False}),
}

WHOLE: Mapping[str, Any] = {
    "labels": {"cost-center": "ml"},
    "pods": {
        "labels": {"example.com/team": "ml"},
        "annotations": {"sidecar.istio.io/inject": "false"},
        "host_aliases": {"10.0.0.7": ("auth.example.com",), "fd00::7": ("auth.example.com", "s3.example.com")},
    },
    "server": {
        "pod_labels": {"tier": "web"},
        "pod_annotations": {"prometheus.io/scrape": "false"},
        "volumes": VOLUMES,
        "mounts": MOUNTS,
        "sidecars": (SIDECAR,),
        "init_containers": (
            {
                "name": "prepare",
                "image": f"registry.example.com/prepare@sha256:{'ab' * 32}",
            },
        ),
        "value_from": {"MLFLOW_LOGGING_LEVEL": {"name": "logging", "key": "level", "kind": "ConfigMap"}},
        "node_affinity": ({"key": "pool", "values": ("ml",)}, {"key": "gpu", "operator": "DoesNotExist"}),
        "spread_over_nodes": "required",
        "topology_spread": ({"topology_key": "rack", "max_skew": 2, "when_unsatisfiable": "DoNotSchedule"},),
        "service": {"annotations": {"example.com/owner": "ml"}},
        "revision_history": 7,
        "max_surge": 2,
        "max_unavailable": 1,
    },
    "database": {"max_connections": 1000},
    "ingress": {"cloudflared": {}},
}


def templates(objects: Objects) -> list[dict[str, Any]]:
    specs = [o["spec"] for (kind, _, _), o in objects.items() if kind in ("Deployment", "Job")]
    crons = [o["spec"]["jobTemplate"]["spec"] for (kind, _, _), o in objects.items() if kind == "CronJob"]
    return [spec["template"] for spec in specs + crons]


def pod(objects: Objects) -> dict[str, Any]:
    return dict(objects[DEPLOYMENT]["spec"]["template"]["spec"])


def container(objects: Objects, name: str, kind: str = "containers") -> dict[str, Any]:
    (found,) = [item for item in pod(objects)[kind] if item["name"] == name]
    return dict(found)


def test_every_pod_has_labels_and_annotations_of_pods(rendered: Render) -> None:
    found = templates(rendered(**WHOLE))

    assert len(found) >= 5
    assert all(template["metadata"]["labels"]["example.com/team"] == "ml" for template in found)
    assert all(template["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false" for template in found)


def test_every_pod_knows_host_aliases(rendered: Render) -> None:
    aliases = [
        {"ip": "10.0.0.7", "hostnames": ["auth.example.com"]},
        {"ip": "fd00::7", "hostnames": ["auth.example.com", "s3.example.com"]},
    ]

    found = templates(rendered(**WHOLE))

    assert len(found) >= 5
    assert all(template["spec"]["hostAliases"] == aliases for template in found)


def test_only_server_pods_have_their_own(rendered: Render) -> None:
    objects = rendered(**WHOLE)

    server = objects[DEPLOYMENT]["spec"]["template"]["metadata"]
    others = [t["metadata"] for t in templates(objects) if t["metadata"] != server]
    assert server["labels"]["tier"] == "web"
    assert server["annotations"]["prometheus.io/scrape"] == "false"
    assert not any("tier" in meta["labels"] for meta in others)


def test_labels_are_on_objects_and_not_selectors(rendered: Render) -> None:
    objects = rendered(**WHOLE)

    assert [key for key, o in objects.items() if o["metadata"]["labels"].get("cost-center") != "ml"] == []
    # Selectors are immutable: with this label in them, a change of it would be an outage.
    assert "cost-center" not in objects[DEPLOYMENT]["spec"]["selector"]["matchLabels"]
    assert "cost-center" not in objects[SERVICE]["spec"]["selector"]


def test_settings_of_server_start_no_migration(rendered: Render) -> None:
    with_more = rendered(server={k: v for k, v in WHOLE["server"].items() if k != "max_surge"})

    jobs = [{name for kind, _, name in objects if kind == "Job"} for objects in (rendered(), with_more)]
    assert jobs[0] == jobs[1]


def test_volumes_are_mounted_beside_ours(rendered: Render) -> None:
    objects = rendered(**WHOLE)

    volumes = {volume["name"]: volume for volume in pod(objects)["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container(objects, "mlflow")["volumeMounts"]}
    assert volumes["extra-rules"]["configMap"] == {"name": "mlflow-rules"}
    assert volumes["extra-login"]["secret"]["secretName"] == "proxy-login"
    assert volumes["extra-models"]["persistentVolumeClaim"] == {"claimName": "models"}
    assert volumes["extra-scratch"]["emptyDir"] == {"sizeLimit": "1Gi"}
    assert mounts["/data/models"] == {
        "name": "extra-models",
        "mountPath": "/data/models",
        "subPath": "a",
        "readOnly": True,
    }
    assert "/tmp" in mounts


def test_sidecars_are_restricted_as_ours_are(rendered: Render) -> None:
    objects = rendered(**WHOLE)

    sidecar, server = container(objects, "shipper"), container(objects, "mlflow")
    assert sidecar["securityContext"] == server["securityContext"]
    assert sidecar["args"] == ["--verbose"]
    assert "command" not in sidecar
    assert {variable["name"] for variable in sidecar["env"]} == {"LEVEL", "TOKEN_FILE_NAME"}
    assert sidecar["resources"]["requests"].keys() == server["resources"]["requests"].keys()
    assert [item["name"] for item in pod(objects)["initContainers"]] == ["wait-for-schema", "prepare"]


def test_variables_come_from_config_maps(rendered: Render) -> None:
    (found,) = [v for v in container(rendered(**WHOLE), "mlflow")["env"] if v["name"] == "MLFLOW_LOGGING_LEVEL"]

    assert found["valueFrom"] == {"configMapKeyRef": {"name": "logging", "key": "level"}}


def test_placement_is_what_settings_say(rendered: Render) -> None:
    spec = pod(rendered(**WHOLE))

    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"] == [
        {"key": "pool", "operator": "In", "values": ["ml"]},
        {"key": "gpu", "operator": "DoesNotExist"},
    ]
    assert "requiredDuringSchedulingIgnoredDuringExecution" in spec["affinity"]["podAntiAffinity"]
    assert [(s["topologyKey"], s["maxSkew"]) for s in spec["topologySpreadConstraints"]] == [("rack", 2)]


def test_placement_may_be_off(rendered: Render) -> None:
    spec = pod(rendered(server={"spread_over_nodes": "off", "topology_spread": ()}))

    assert not {"affinity", "topologySpreadConstraints"} & spec.keys()


def test_rollout_is_what_settings_say(rendered: Render) -> None:
    spec = rendered(**WHOLE)[DEPLOYMENT]["spec"]
    replaced = rendered(server={"strategy": "Recreate"})[DEPLOYMENT]["spec"]

    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 2, "maxUnavailable": 1}
    assert spec["revisionHistoryLimit"] == 7
    assert replaced["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(("server", "needed"), [({"max_surge": 3}, 86), ({"strategy": "Recreate"}, 43)])
def test_connection_budget_counts_surge(server: dict[str, Any], needed: int) -> None:
    found = refused(server=server, database={"max_connections": needed - 1})

    assert f"need {needed};" in found["database.max_connections"]


def test_connection_budget_counts_workers_being_replaced() -> None:
    server = {"replicas": 3, "workers": 2}
    found = refused(release="3.17.2", server=server, database={"max_connections": 184})

    # 3 pods with 3 workers of 20 connections, 3 gauges, 2 of a migration; a rollout needs 166.
    assert "need 185;" in found["database.max_connections"]


def test_service_that_leads_outside_has_no_metrics(rendered: Render) -> None:
    service = {"type": "LoadBalancer", "source_ranges": ("198.51.100.0/24",), "annotations": {"example.com/a": "b"}}

    objects = rendered(server={"service": service}, network={"ingress_cidrs": ("10.0.0.0/16",)})

    outside, metrics = objects[SERVICE], objects["Service", "mlflow", "mlflow-metrics"]
    assert [port["name"] for port in outside["spec"]["ports"]] == ["http"]
    assert outside["spec"]["loadBalancerSourceRanges"] == ["198.51.100.0/24"]
    assert outside["metadata"]["annotations"]["example.com/a"] == "b"
    # Who reaches the load balancer would reach the metrics.
    assert [port["name"] for port in metrics["spec"]["ports"]] == ["metrics"]
    assert metrics["spec"]["type"] == "ClusterIP"


def test_existing_service_account_is_used_and_not_written(tmp_path: Path) -> None:
    settings = Settings.model_validate({**MINIMAL, "server": {"service_account": "team-ml"}})

    render(settings, environment="test", folder=tmp_path)

    text = {path.name: path.read_text() for path in (tmp_path / "application").iterdir()}
    assert not any(name.startswith("ServiceAccount.") for name in text)
    assert all("serviceAccountName: team-ml" in body for name, body in text.items() if name.startswith("Deployment."))
    assert written_by(tmp_path) == __version__


def test_cluster_may_assign_user(rendered: Render) -> None:
    found = [t["spec"]["securityContext"] for t in templates(rendered(server={"user_id": None}))]

    assert all(context["runAsNonRoot"] is True for context in found)
    assert not any({"runAsUser", "runAsGroup", "fsGroup"} & context.keys() for context in found)


def test_everything_at_once_is_valid(tmp_path: Path) -> None:
    settings = Settings.model_validate({**WHOLE, **MINIMAL, "server": {**WHOLE["server"], "user_id": None}})

    render(settings, environment="test", folder=tmp_path)

    assert validate(tmp_path) == []
