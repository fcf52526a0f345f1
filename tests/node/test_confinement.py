"""What the pods may do, tried in them: files, users, networks."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from deployment import Deployment

from live.node.components import ADDRESS, API_PORT
from live.node.node import Node

pytestmark = pytest.mark.servers

POSTGRES = "postgres-cluster-rw.postgres.svc.cluster.local:5432"
MINIO = "minio.minio.svc.cluster.local:9000"
TRAEFIK = "traefik.kube-system.svc.cluster.local:443"
API_SERVER = f"{ADDRESS}:{API_PORT}"
KUBELET = f"{ADDRESS}:10250"

EGRESS = [
    ("tracking-server", POSTGRES, True),
    ("tracking-server", MINIO, True),
    ("tracking-server", TRAEFIK, True),
    ("tracking-server", API_SERVER, False),
    ("tracking-server", KUBELET, False),
    ("tracking-server", "server of the other", False),
    ("migration", POSTGRES, True),
    ("migration", MINIO, False),
    ("migration", API_SERVER, False),
    ("maintenance", POSTGRES, True),
    ("maintenance", MINIO, True),
    ("maintenance", API_SERVER, False),
]
"""Component, target, and whether its pods may connect."""

INGRESS = [
    ("default", "stranger", 5000, False),
    ("default", "stranger", 9090, False),
    ("kube-system", "traefik", 5000, True),
    ("kube-system", "traefik", 9090, False),
    ("kube-system", "stranger", 5000, False),
    ("monitoring", "prometheus", 9090, True),
    ("monitoring", "prometheus", 5000, False),
]
"""Namespace and name of a pod, port of the server, and whether it may connect."""

Row = tuple[object, ...]


@pytest.fixture(scope="session")
def connected(deployments: Mapping[str, Deployment]) -> Mapping[Row, bool]:
    """Whether the connection of each row was let through; every row is a pod, and all of them try at once."""
    node = deployments["first"].node
    node.kubectl("create", "namespace", "monitoring", check=False)
    pods = {}
    for name, deployment in deployments.items():
        server = deployment.pods("tracking-server")[0]["status"]["podIP"]
        (other,) = [d for n, d in deployments.items() if n != name]
        addresses = {"server of the other": f"{other.pods('tracking-server')[0]['status']['podIP']}:5000"}
        for component, target, _ in EGRESS:
            labels = {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/component": component}
            address = addresses.get(target, target)
            pods[(name, component, target)] = dialing_pod(deployment.namespace, labels, address, len(pods))
        for namespace, who, port, _ in INGRESS:
            labels = {"app.kubernetes.io/name": who}
            pods[(name, namespace, who, port)] = dialing_pod(namespace, labels, f"{server}:{port}", len(pods))
    node.kubectl(
        "create", "--filename", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [*pods.values()]})
    )
    outcomes = {row: outcome(node, pod["metadata"]) for row, pod in pods.items()}
    for pod in pods.values():
        metadata = pod["metadata"]
        node.kubectl("delete", "pod", metadata["name"], "--namespace", metadata["namespace"], "--wait=false")
    return outcomes


def dialing_pod(namespace: str, labels: Mapping[str, str], target: str, number: int) -> dict[str, Any]:
    """A pod that connects to ``target`` and ends."""
    container = {
        "name": "dial",
        "image": "docker.io/node/forward:1",
        "imagePullPolicy": "Never",
        "command": ["/forward", "dial", target],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"dial-{number}", "namespace": namespace, "labels": dict(labels)},
        "spec": {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]},
    }


def outcome(node: Node, metadata: Mapping[str, str]) -> bool:
    phases = [""]

    def ended() -> bool:
        pod = node.get("pod", metadata["name"], "--namespace", metadata["namespace"])
        phases.append(pod["status"]["phase"])
        return phases[-1] in ("Succeeded", "Failed")

    node.wait(metadata["name"], ended)
    return phases[-1] == "Succeeded"


@pytest.mark.parametrize(("component", "target", "allowed"), EGRESS)
def test_policy_limits_egress(
    deployment: Deployment, connected: Mapping[Row, bool], component: str, target: str, allowed: bool
) -> None:
    assert connected[(deployment.name, component, target)] is allowed


@pytest.mark.parametrize(("namespace", "who", "port", "allowed"), INGRESS)
def test_policy_limits_ingress(
    deployment: Deployment, connected: Mapping[Row, bool], namespace: str, who: str, port: int, allowed: bool
) -> None:
    assert connected[(deployment.name, namespace, who, port)] is allowed


def test_server_writes_only_below_tmp(deployment: Deployment) -> None:
    script = "import pathlib; pathlib.Path('/tmp/a').write_text('a'); pathlib.Path('/opt/mlflow-sso/a').write_text('a')"
    said = deployment.node.kubectl(
        "exec", "--namespace", deployment.namespace, "deploy/mlflow", "--", "python", "-c", script, check=False
    )

    assert "Read-only file system: '/opt/mlflow-sso/a'" in said


def test_namespace_refuses_privileged_pods(deployment: Deployment) -> None:
    said = deployment.node.kubectl(
        *("run", "privileged", "--image=docker.io/node/forward:1", "--privileged", "--namespace", deployment.namespace),
        check=False,
    )

    assert 'violates PodSecurity "restricted' in said
