"""The tracking server's Deployment and the Jobs of an environment, as an operator watches and handles them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from live.node.api import Api
from live.node.node import Node, NodeError

DEPLOYMENT = "deployment/mlflow"
_SERVER = "app.kubernetes.io/component=tracking-server"
_HOPELESS = {"CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
"""Reasons of a container that waits for what will not come."""


class JobError(NodeError):
    """A Job failed; the text has the logs of its pods."""


class PodError(NodeError):
    """A pod does not become ready; the text has its logs."""


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod as it was when it was listed."""

    name: str
    address: str
    revision: str
    """Hash of the template that it was created from."""
    restarts: int
    ready: bool
    failed: bool
    """Whether one of its containers has ended with an error, or waits for what will not come."""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Pod":
        """From an object of the API."""
        status, labels = body["status"], body["metadata"]["labels"]
        states = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
        conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", [])}
        return cls(
            name=body["metadata"]["name"],
            address=status.get("podIP", ""),
            revision=labels.get("pod-template-hash", ""),
            restarts=sum(state["restartCount"] for state in states),
            ready=conditions.get("Ready") == "True",
            failed=status.get("phase") == "Failed" or any(map(_failed, states)),
        )


def _failed(container: Mapping[str, Any]) -> bool:
    # A container that crashes is running again most of the time, and its end is in lastState.
    states = [container.get("state", {}), container.get("lastState", {})]
    ended = [state["terminated"]["exitCode"] for state in states if "terminated" in state]
    return any(ended) or states[0].get("waiting", {}).get("reason") in _HOPELESS


@dataclass(kw_only=True)
class Workloads:
    """Those of one namespace."""

    node: Node
    namespace: str

    @cached_property
    def _api(self) -> Api:
        return Api(self.node)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the namespace; its standard output.

        Raises:
            NodeError: its exit code is not 0.
        """
        return self.node.kubectl("--namespace", self.namespace, *arguments)

    def pods(self, selector: str = _SERVER) -> list[Pod]:
        """Pods that are not ending, by name."""
        listed = self._api.get(f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=selector)["items"]
        return [Pod.of(body) for body in listed if "deletionTimestamp" not in body["metadata"]]

    def scale(self, replicas: int) -> None:
        """Have that many pods of the tracking server, and wait until all are ready.

        Raises:
            NodeError: one is not.
        """
        self.kubectl("scale", DEPLOYMENT, f"--replicas={replicas}")
        self.wait_rolled_out()

    def restart(self) -> None:
        """Replace the pods of the tracking server one by one, and wait until the last old one has ended.

        A pod that drains still answers what comes over connections that it has, with the Secrets that it began with.

        Raises:
            NodeError: a new one is not ready in time, or an old one does not end.
        """
        before = [f"pod/{pod.name}" for pod in self.pods()]
        self.kubectl("rollout", "restart", DEPLOYMENT)
        self.wait_rolled_out()
        self.kubectl("wait", "--for=delete", "--timeout=180s", *before)

    def wait_rolled_out(self, *, seconds: float = 600) -> None:
        """Wait until the tracking server has the pods of its newest template, and no others.

        Raises:
            NodeError: it takes longer.
        """
        self.kubectl("rollout", "status", DEPLOYMENT, f"--timeout={seconds:.0f}s")

    def wait_replaced(self, before: set[str], *, seconds: float) -> None:
        """Wait until the tracking server has the pods of its newest template; ``before`` are templates of older ones.

        Raises:
            PodError: a new one ends with an error.
            NodeError: it takes longer.
        """

        def replaced() -> bool:
            failed = [pod for pod in self.pods() if pod.failed and pod.revision not in before]
            if failed:
                raise PodError(f"{failed[0].name} failed: {self.logs(failed[0].name)}")
            return self._rolled_out()

        self.node.wait("the tracking server", replaced, seconds=seconds)

    def _rolled_out(self) -> bool:
        body = self._api.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/mlflow")
        status, wanted = body["status"], body["spec"]["replicas"]
        counted = {status.get(name) for name in ("replicas", "updatedReplicas", "availableReplicas")}
        # Until then the counts are those of the template before.
        return bool(status.get("observedGeneration") == body["metadata"]["generation"] and counted == {wanted})

    def wait_job(self, name: str, *, seconds: float = 600, attempts: bool = True) -> None:
        """Wait until a Job is complete; without ``attempts`` its first pod must succeed.

        Raises:
            JobError: it failed.
            NodeError: it takes longer.
        """

        def complete() -> bool:
            status = self._api.get(f"/apis/batch/v1/namespaces/{self.namespace}/jobs/{name}")["status"]
            conditions = {item["type"] for item in status.get("conditions", []) if item["status"] == "True"}
            pods = [] if attempts else self.pods(f"job-name={name}")
            if "Failed" in conditions or any(pod.failed for pod in pods):
                raise JobError(f"{name} failed: {''.join(self._logs_of(f'job-name={name}'))}")
            return "Complete" in conditions

        self.node.wait(name, complete, seconds=seconds)

    def logs(self, pod: str) -> str:
        """What a pod's containers have printed."""
        return self.node.kubectl("--namespace", self.namespace, "logs", pod, "--all-containers", check=False)

    def server_logs(self) -> str:
        """What all pods of the tracking server have printed."""
        return "".join(self._logs_of(_SERVER))

    def _logs_of(self, selector: str) -> Iterator[str]:
        for pod in self.pods(selector):
            yield self.logs(pod.name)
