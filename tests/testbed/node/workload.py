"""The tracking server's Deployment and the Jobs of an environment, as an operator watches and handles them."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from live.node.api import Api
from live.node.node import Node, NodeError
from live.node.room import Room
from testbed.node.failure_signs import FailureSigns, failed

DEPLOYMENT = "deployment/mlflow"
_SERVER = "app.kubernetes.io/component=tracking-server"


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
    """Whether it, or one of its containers, has ended with an error or waits for what will not come."""

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
            failed=failed(body),
        )


@dataclass(kw_only=True)
class Workloads:
    """Those of one namespace."""

    node: Node
    namespace: str

    @cached_property
    def _api(self) -> Api:
        return Api(self.node)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl in the namespace; its standard output.

        Raises:
            NodeError: its exit code is not 0.
        """
        return self.node.kubectl("--namespace", self.namespace, *arguments, stdin=stdin)

    def pods(self, selector: str = _SERVER) -> list[Pod]:
        """Pods that are not ending, by name."""
        return [Pod.of(body) for body in self._bodies(selector)]

    def _bodies(self, selector: str) -> list[dict[str, Any]]:
        listed = self._api.get(f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=selector)["items"]
        return [body for body in listed if "deletionTimestamp" not in body["metadata"]]

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
        self.node.kubectl_wait("delete", "--namespace", self.namespace, *before)

    def wait_rolled_out(self) -> None:
        """Wait until the tracking server has the pods of its newest template, and no others.

        Raises:
            NodeError: it takes longer, or the node has no room for them.
        """
        room = Room(api=self._api)

        def rolled_out() -> bool:
            room.require(self._bodies(_SERVER))
            return _rolled_out(self._deployment())

        self.node.wait("the tracking server", rolled_out)

    def wait_replaced(self, before: Set[str] = frozenset()) -> None:
        """Wait until the tracking server has the pods of its newest template; ``before`` are templates of older ones.

        Raises:
            PodError: a new one ends with an error, or there is another sign that it will not become ready.
            NodeError: it takes longer, or the node has no room for them.
        """
        signs, room = FailureSigns(api=self._api, namespace=self.namespace), Room(api=self._api)

        def replaced() -> bool:
            deployment = self._deployment()
            new = [body for body in self._bodies(_SERVER) if Pod.of(body).revision not in before]
            room.require(new)
            if sign := signs.find(deployment, new):
                raise PodError(f"{sign}: {''.join(self.logs(body['metadata']['name']) for body in new)}")
            return _rolled_out(deployment)

        self.node.wait("the tracking server", replaced)

    def _deployment(self) -> Mapping[str, Any]:
        return self._api.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/mlflow")

    def wait_job(self, name: str, *, attempts: bool = True) -> None:
        """Wait until a Job is complete; without ``attempts`` its first pod must succeed.

        Raises:
            JobError: it failed.
            NodeError: it takes longer, or the node has no room for a pod of it.
        """
        room, selector = Room(api=self._api), f"job-name={name}"

        def complete() -> bool:
            status = self._api.get(f"/apis/batch/v1/namespaces/{self.namespace}/jobs/{name}")["status"]
            conditions = {item["type"] for item in status.get("conditions", []) if item["status"] == "True"}
            pods = self._bodies(selector)
            room.require(pods)
            if "Failed" in conditions or (not attempts and any(map(failed, pods))):
                raise JobError(f"{name} failed: {''.join(self._logs_of(selector))}")
            return "Complete" in conditions

        self.node.wait(name, complete)

    def logs(self, pod: str) -> str:
        """What a pod's containers have printed."""
        return self.node.kubectl("--namespace", self.namespace, "logs", pod, "--all-containers", check=False)

    def server_logs(self) -> str:
        """What all pods of the tracking server have printed."""
        return "".join(self._logs_of(_SERVER))

    def _logs_of(self, selector: str) -> Iterator[str]:
        for pod in self.pods(selector):
            yield self.logs(pod.name)


def _rolled_out(deployment: Mapping[str, Any]) -> bool:
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    counted = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    # Until then the counts are those of the template before.
    return bool(status.get("observedGeneration") == deployment["metadata"]["generation"] and counted == {wanted})
