"""Signs by which a cluster says that pods of the tracking server will not become ready, however long one waits."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from live.node.api import Api
from live.node.node import NodeError
from live.node.room import unschedulable

REFUSED_PROBE = re.compile(r"probe failed: HTTP probe failed with statuscode: 4\d\d")
"""What the kubelet says if a server answers that the probe's path is wrong; a server that still starts does not."""

PASSING = re.compile(r"context deadline exceeded|DeadlineExceeded|is reserved for")
"""In what the kubelet says of a container that a busy machine did not create in time; it tries again."""

REPEATED = 8
"""How often a mount fails, or a connection is refused, before it counts: once may be the moment."""

NETWORK = ("Connection refused", "timeout expired", "No route to host")
"""Reasons that a firewall or a proxy gives that does not know a new pod yet."""


def failed(body: Mapping[str, Any]) -> bool:
    """Whether a container of a pod has ended with an error, or it or its pod waits for what will not come."""
    return bool(failure(body))


def failure(body: Mapping[str, Any]) -> str:
    """How a pod has failed: the container, its exit code and the reason; empty if it has not."""
    status = body.get("status", {})
    states = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    if said := "; ".join(filter(None, map(_container_failure, states))):
        return said
    if status.get("phase") == "Failed":
        return f"{status.get('reason', 'its phase is Failed')} {status.get('message', '')}".strip()
    # Nodes keep their labels; of a taint or of room that is missing the scheduler says so in other words.
    misplaced = unschedulable(body)
    return misplaced if "didn't match Pod's node affinity" in misplaced else ""


_HOPELESS = {
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RunContainerError",
}
"""Reasons of a container that waits for what will not come."""


def _container_failure(container: Mapping[str, Any]) -> str:
    # A container that crashes is running again most of the time, and its end is in lastState.
    states = [container.get("state", {}), container.get("lastState", {})]
    ends = [state["terminated"] for state in states if state.get("terminated", {}).get("exitCode")]
    ends = [end for end in ends if not PASSING.search(str(end.get("message", "")))]
    said = [f"exit code {end['exitCode']} ({end.get('reason', 'no reason')}) {end.get('message', '')}" for end in ends]
    waiting = states[0].get("waiting", {})
    if waiting.get("reason") in _HOPELESS and not PASSING.search(str(waiting.get("message", ""))):
        said.append(f"{waiting['reason']} {waiting.get('message', '')}")
    return f"container {container.get('name')}: {', '.join(map(str.strip, said))}" if said else ""


def event_sign(event: Mapping[str, Any]) -> str:
    """What an event says that does not pass; empty if it may."""
    message = str(event.get("message", ""))
    refused = event.get("reason") == "Unhealthy" and REFUSED_PROBE.search(message)
    mounts = event.get("reason") == "FailedMount" and "not found" in message and event.get("count", 1) >= REPEATED
    return message if refused or mounts else ""


def refusals(log: str) -> list[str]:
    """Reasons why a program that waits for PostgreSQL got no connection, once for each try."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    reasons = [str(line["reason"]) for line in lines if "reason" in line]
    return [reason for reason in reasons if not any(text in reason for text in NETWORK)]


def deployment_sign(body: Mapping[str, Any]) -> str:
    """What a Deployment says of pods that cannot be created, or are long overdue; empty if it says nothing."""
    if body.get("status", {}).get("observedGeneration") != body["metadata"]["generation"]:
        return ""
    for condition in body.get("status", {}).get("conditions", []):
        if (condition["type"], condition["status"]) in {("ReplicaFailure", "True"), ("Progressing", "False")}:
            return str(condition["message"])
    return ""


@dataclass(frozen=True, kw_only=True)
class FailureSigns:
    """Those of the tracking server of one namespace."""

    api: Api
    namespace: str

    def find(self, deployment: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> str:
        """The first one; ``pods`` are those of the Deployment's newest template. Empty if there is none.

        Raises:
            NodeError: the API server does not answer.
        """
        return next(filter(None, self._all(deployment, pods)), "")

    def _all(self, deployment: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        yield deployment_sign(deployment)
        names = [pod["metadata"]["name"] for pod in pods if not _ready(pod)]
        yield from (f"{pod['metadata']['name']} failed: {said}" for pod in pods if (said := failure(pod)))
        for name in names:
            yield from map(event_sign, self._events(name))
        yield from (self._refused(pod) for pod in pods if _initializes(pod))

    def _events(self, pod: str) -> list[dict[str, Any]]:
        selector = f"involvedObject.name={pod}"
        found: list[dict[str, Any]] = self.api.get(self._path("events"), fieldSelector=selector)["items"]
        return found

    def _refused(self, pod: Mapping[str, Any]) -> str:
        name = pod["metadata"]["name"]
        (first, *_) = pod["status"]["initContainerStatuses"]
        try:
            said = refusals(self.api.text(self._path(f"pods/{name}/log"), container=first["name"]))
        except NodeError:
            # The container is not there yet, or no longer.
            return ""
        return f"{name}: {said[-1]}" if len(said) >= REPEATED else ""

    def _path(self, rest: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/{rest}"


def _ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _initializes(pod: Mapping[str, Any]) -> bool:
    states = pod.get("status", {}).get("initContainerStatuses", [])
    return bool(states) and "running" in states[0].get("state", {})
