"""What the cluster says of pods that will not become ready, and what passes by itself."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from testbed.node.failure_signs import REPEATED, deployment_sign, event_sign, failed, failure, refusals

CERTIFICATE = 'connection to server at "db" (10.0.0.1), port 5432 failed: root certificate file "x" does not exist'
CREATED = {"metadata": {"generation": 2}, "status": {"observedGeneration": 2}}


def unhealthy(code: int) -> dict[str, Any]:
    return {"reason": "Unhealthy", "message": f"Startup probe failed: HTTP probe failed with statuscode: {code}"}


def mount(message: str, count: int) -> dict[str, Any]:
    return {"reason": "FailedMount", "message": f"MountVolume.SetUp failed: {message}", "count": count}


def pod(**state: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": {"phase": "Pending", "containerStatuses": [{"state": state}]}}


def deployment(**condition: str) -> dict[str, Any]:
    return {**CREATED, "status": {**CREATED["status"], "conditions": [{"message": "no account", **condition}]}}


@pytest.mark.parametrize(
    "event", [unhealthy(404), unhealthy(401), mount('secret "a" not found', REPEATED)], ids=["404", "401", "mount"]
)
def test_event_that_does_not_pass_counts(event: dict[str, Any]) -> None:
    assert event_sign(event) == event["message"]


@pytest.mark.parametrize(
    "event",
    [
        unhealthy(503),
        {"reason": "Unhealthy", "message": "Startup probe failed: dial tcp: connection refused"},
        mount('secret "a" not found', REPEATED - 1),
        mount("failed to sync secret cache: timed out waiting for the condition", 50),
    ],
    ids=["503", "refused", "few mounts", "slow cache"],
)
def test_event_that_may_pass_does_not_count(event: dict[str, Any]) -> None:
    assert event_sign(event) == ""


@pytest.mark.parametrize("reason", ["CreateContainerConfigError", "ErrImagePull", "CrashLoopBackOff"])
def test_pod_that_waits_in_vain_has_failed(reason: str) -> None:
    assert failed(pod(waiting={"reason": reason}))


def test_pod_that_is_created_has_not_failed() -> None:
    assert not failed(pod(waiting={"reason": "ContainerCreating"}))
    assert not failed(pod(terminated={"exitCode": 0}))
    assert failed(pod(terminated={"exitCode": 75}))


def test_container_that_busy_machine_created_late_passes() -> None:
    late = "failed to create containerd task: context deadline exceeded"

    assert not failed(pod(waiting={"reason": "CreateContainerError", "message": late}))
    assert not failed(pod(terminated={"exitCode": 128, "reason": "StartError", "message": late}))
    assert failed(pod(waiting={"reason": "CreateContainerError", "message": "no such command"}))


def test_failure_names_exit_code_and_reason() -> None:
    killed = {"exitCode": 137, "reason": "OOMKilled"}

    assert failure(pod(running={})) == ""
    assert "exit code 137 (OOMKilled)" in failure(pod(terminated=killed))
    crashing = {"status": {"containerStatuses": [{"name": "mlflow", "lastState": {"terminated": killed}}]}}
    assert failure(crashing) == "container mlflow: exit code 137 (OOMKilled)"


def test_refusals_are_those_of_the_database() -> None:
    said = [CERTIFICATE, "Connection refused", "timeout expired", CERTIFICATE]
    lines = [json.dumps({"message": "waiting for PostgreSQL", "reason": reason}) for reason in said]

    assert refusals("\n".join(["no JSON", '{"message": "ready"}', *lines])) == [CERTIFICATE] * 2


def test_deployment_sign_is_of_the_newest_template() -> None:
    refused = deployment(type="ReplicaFailure", status="True")

    assert deployment_sign(refused) == "no account"
    assert deployment_sign({**refused, "metadata": {"generation": 3}}) == ""
    assert deployment_sign(deployment(type="Progressing", status="True")) == ""
