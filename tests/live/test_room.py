"""Pods for which the node is too small: when the wait for them is in vain, and what is said then."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from live.node.api import Api
from live.node.node import NodeError
from live.node.room import LOOKS, Room, lacks_room, requests, shortage
from testbed.node.failure_signs import failed

NO_CPU = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available"
NO_NODE = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
CORDONED = "0/1 nodes are available: 1 node(s) were unschedulable."
NODE = {"status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"}}}


def container(cpu: str, memory: str) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}}


def pod(name: str, *, message: str = "", cpu: str = "100m", **metadata: Any) -> dict[str, Any]:
    """One that runs on the node, or waits because of ``message``."""
    waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {
        "metadata": {"name": name, "namespace": "here", "uid": name, **metadata},
        "spec": {"containers": [container(cpu, "64Mi")], **({} if message else {"nodeName": "node"})},
        "status": {"phase": "Pending", "conditions": [waits]} if message else {"phase": "Running"},
    }


class Listed:
    """Answers as the API server, with these pods."""

    def __init__(self, *pods: Mapping[str, Any]) -> None:
        self.pods: Sequence[Mapping[str, Any]] = pods

    def get(self, path: str) -> dict[str, Any]:
        return {"items": [NODE] if path.endswith("nodes") else self.pods}


def room(listed: Listed) -> Room:
    return Room(api=cast("Api", listed))


def looks(tried: Room, body: Mapping[str, Any], times: int) -> None:
    for _ in range(times):
        tried.require([body])


LARGE = pod("large", message=NO_CPU, cpu="100")


def test_room_names_pod_request_and_what_is_left() -> None:
    tried = room(Listed(LARGE, pod("other")))
    looks(tried, LARGE, LOOKS - 1)

    with pytest.raises(NodeError, match=r"here/large: it requests cpu 100, .* the node has cpu 1\.9, .* left"):
        tried.require([LARGE])


@pytest.mark.parametrize(
    "metadata",
    [{"deletionTimestamp": "now"}, {"ownerReferences": [{"kind": "Job"}]}],
    ids=["ending", "of a Job"],
)
def test_room_may_come_of_pod_that_leaves(metadata: dict[str, Any]) -> None:
    tried = room(Listed(LARGE, pod("other", **metadata)))

    looks(tried, LARGE, 3 * LOOKS)


def test_room_counts_anew_after_another_pod_ended() -> None:
    listed = Listed(LARGE, pod("other"))
    tried = room(listed)
    looks(tried, LARGE, LOOKS - 1)
    listed.pods = [LARGE]

    looks(tried, LARGE, LOOKS - 1)

    with pytest.raises(NodeError, match="cpu 2, "):
        tried.require([LARGE])


def test_room_counts_anew_after_pod_was_scheduled() -> None:
    tried = room(Listed(LARGE))
    looks(tried, LARGE, LOOKS - 1)
    tried.require([])

    looks(tried, LARGE, LOOKS - 1)


@pytest.mark.parametrize(("message", "expected"), [(NO_CPU, True), (CORDONED, False), (NO_NODE, False)])
def test_room_is_missing_by_the_schedulers_word(message: str, expected: bool) -> None:
    assert lacks_room(pod("one", message=message)) == expected


def test_pod_for_no_such_node_has_failed() -> None:
    assert failed(pod("one", message=NO_NODE))
    assert not failed(LARGE)
    assert not failed(pod("one", message=CORDONED))


def test_requests_are_the_most_at_one_time() -> None:
    containers = [container("100m", "64Mi"), container("50m", "64Mi")]
    first = [container("1", "32Mi"), container("20m", "1Gi")]

    taken = requests({"spec": {"containers": containers, "initContainers": first}})

    assert taken == {"cpu": 1, "memory": 2**30, "pods": 1}


def test_shortage_leaves_out_pods_that_ended() -> None:
    ended = {**pod("ended", cpu="1"), "status": {"phase": "Succeeded"}}

    said = shortage(LARGE, node=NODE, pods=[ended, pod("other"), LARGE])

    assert said.endswith("the node has cpu 1.9, memory 4032Mi, pods 109 left")
