"""What the pods may do, tried in them and by admission: files, users, privileges."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from deployment import Deployment

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SOUND: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
BREACHES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "privileged": ({}, {"privileged": True, "allowPrivilegeEscalation": True}),
    "allowPrivilegeEscalation": ({}, {"allowPrivilegeEscalation": True}),
    "capabilities": ({}, {"capabilities": {"add": ["NET_ADMIN"]}}),
    "runAsNonRoot": ({}, {"runAsNonRoot": False}),
    "runAsUser=0": ({}, {"runAsUser": 0}),
    "seccompProfile": ({}, {"seccompProfile": {"type": "Unconfined"}}),
    "hostNetwork": ({"hostNetwork": True}, {}),
    "hostPID": ({"hostPID": True}, {}),
    "hostPath": ({"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}, {}),
}
"""What the admission names, and changes of a sound pod and of its container that it names it for."""


def test_server_writes_only_below_tmp(deployment: Deployment) -> None:
    script = "import pathlib; pathlib.Path('/tmp/a').write_text('a'); pathlib.Path('/opt/mlflow-sso/a').write_text('a')"
    said = deployment.node.kubectl(
        "exec", "--namespace", deployment.namespace, "deploy/mlflow", "--", "python", "-c", script, check=False
    )

    assert "Read-only file system: '/opt/mlflow-sso/a'" in said


def test_namespace_admits_sound_pods(deployment: Deployment) -> None:
    assert "created (server dry run)" in admission(deployment, {}, {})


@pytest.mark.parametrize("breach", BREACHES)
def test_namespace_refuses_breaches(deployment: Deployment, breach: str) -> None:
    said = admission(deployment, *BREACHES[breach])

    assert 'violates PodSecurity "restricted' in said
    assert breach in said


def admission(deployment: Deployment, pod: Mapping[str, Any], container: Mapping[str, Any]) -> str:
    """What the API server says of a sound pod with changes."""
    # One that the node has, since nothing can be pulled here.
    image = {"name": "tried", "image": "docker.io/node/forward:1", "securityContext": {**SOUND, **container}}
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "tried", "namespace": deployment.namespace},
        "spec": {"containers": [image], **pod},
    }
    return deployment.node.kubectl(
        "create", "--dry-run=server", "--filename", "-", stdin=json.dumps(document), check=False
    )


@pytest.mark.parametrize("component", ["tracking-server", "migration"])
def test_pods_run_as_no_known_user(deployment: Deployment, component: str) -> None:
    selector = f"app.kubernetes.io/component={component}"
    pods = deployment.node.get("pods", "--namespace", deployment.namespace, "--selector", selector)["items"]

    assert pods
    for pod in pods:
        assert pod["spec"]["securityContext"]["runAsUser"] >= 10000
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["metadata"]["namespace"] == deployment.namespace
