"""Pods for which a node is too small: an error of the node, and of nothing that is tried on it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cdk8s_mlflow.settings.resource_checks import amount
from live.node.api import Api
from live.node.node import NodeError

LOOKS = 40
"""How many looks in a row must find the same pods on the node before one that waits for room counts."""

Body = Mapping[str, Any]


@dataclass(kw_only=True)
class Room:
    """Looks at pods that wait, again and again."""

    api: Api
    _seen: frozenset[str] = field(init=False, default=frozenset())
    _looks: int = field(init=False, default=0)

    def require(self, pods: Iterable[Body]) -> None:
        """See that there is room for ``pods``, or that there may be soon.

        Raises:
            NodeError: one has waited for room for LOOKS calls, while no pod has begun or ended, or is about to.
        """
        waiting = [body for body in pods if lacks_room(body)]
        if not waiting:
            self._looks = 0
            return
        listed = self.api.get("/api/v1/pods")["items"]
        seen = frozenset(body["metadata"]["uid"] for body in [*filter(_takes_room, listed), *waiting])
        if seen != self._seen or any(map(_is_leaving, listed)):
            self._seen, self._looks = seen, 0
        self._looks += 1
        if self._looks >= LOOKS:
            (node,) = self.api.get("/api/v1/nodes")["items"]
            raise NodeError(shortage(waiting[0], node=node, pods=listed))


def lacks_room(body: Body) -> bool:
    """Whether the scheduler says that no node has enough left for a pod."""
    message = unschedulable(body)
    return "Insufficient " in message or "Too many pods" in message


def unschedulable(body: Body) -> str:
    """Why the scheduler finds no node for a pod; empty if it has not said so."""
    for condition in body.get("status", {}).get("conditions", []):
        if (condition["type"], condition["status"], condition.get("reason")) == ("PodScheduled", "False", _REASON):
            return str(condition["message"])
    return ""


_REASON = "Unschedulable"


def shortage(body: Body, *, node: Body, pods: Sequence[Body]) -> str:
    """What a pod requests, and what ``pods`` leave of the node."""
    wanted, taken = requests(body), [requests(pod) for pod in filter(_takes_room, pods)]
    left = {name: amount(node["status"]["allocatable"].get(name, "0")) - sum(_each(name, taken)) for name in wanted}
    name = f"{body['metadata']['namespace']}/{body['metadata']['name']}"
    return f"the node has no room for pod {name}: it requests {_text(wanted)}, and the node has {_text(left)} left"


def requests(body: Body) -> Mapping[str, Decimal]:
    """What a pod takes of a node by resource, in cores and bytes; itself is one of ``pods``."""
    run = [_requests(container) for container in body["spec"]["containers"]]
    # They run before the others, one after the other.
    begin = [_requests(container) for container in body["spec"].get("initContainers", [])]
    names = {name for one in (*run, *begin) for name in one}
    total = {name: max(sum(_each(name, run), Decimal(0)), *_each(name, begin), Decimal(0)) for name in names}
    return {**total, "pods": Decimal(1)}


def _each(name: str, containers: Iterable[Mapping[str, Decimal]]) -> list[Decimal]:
    return [one.get(name, Decimal(0)) for one in containers]


def _requests(container: Body) -> Mapping[str, Decimal]:
    asked = container.get("resources", {}).get("requests", {})
    return {name: amount(value) for name, value in asked.items()}


def _text(resources: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{name} {_number(name, value)}" for name, value in sorted(resources.items()))


def _number(resource: str, value: Decimal) -> str:
    return f"{value.normalize():f}" if resource in ("cpu", "pods") else f"{value / 2**20:.0f}Mi"


def _takes_room(body: Body) -> bool:
    return "nodeName" in body["spec"] and body["status"].get("phase") not in ("Succeeded", "Failed")


def _is_leaving(body: Body) -> bool:
    """Whether a pod gives its room back by itself."""
    owners = {owner["kind"] for owner in body["metadata"].get("ownerReferences", [])}
    return _takes_room(body) and ("deletionTimestamp" in body["metadata"] or "Job" in owners)
