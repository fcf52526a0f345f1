"""Pods for which the real node is too small end a wait, as an error of the node's own."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import yaml

from live.node import room
from live.node.node import Node, NodeError
from testbed.node.workload import Workloads

pytestmark = pytest.mark.servers

LABELS = {"app.kubernetes.io/component": "tracking-server"}
CONTAINER = {
    "name": "sleep",
    "image": "docker.io/node/forward:1",
    "imagePullPolicy": "Never",
    "args": ["sleep"],
    "resources": {"requests": {"cpu": "100"}},
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "mlflow"},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}},
    },
}
JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "large"},
    "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}},
}


WAITS: Mapping[str, Callable[[Workloads], None]] = {
    "roll-out": Workloads.wait_rolled_out,
    "replacement": Workloads.wait_replaced,
    "job": lambda workloads: workloads.wait_job("large", attempts=False),
}


@pytest.fixture(scope="module")
def ended(node: Node) -> Iterator[Mapping[str, "Future[None]"]]:
    """What came of each wait, all at once, in a namespace of its own."""
    workloads = Workloads(node=node, namespace="too-large")
    node.kubectl("create", "namespace", workloads.namespace)
    workloads.kubectl("create", "--filename", "-", stdin=yaml.safe_dump_all([DEPLOYMENT, JOB]))
    # How many looks it takes is tried without a node; each lists all of its pods.
    with pytest.MonkeyPatch.context() as few, ThreadPoolExecutor(len(WAITS)) as threads:
        few.setattr(room, "LOOKS", 5)
        yield {name: threads.submit(wait, workloads) for name, wait in WAITS.items()}
    node.kubectl("delete", "namespace", workloads.namespace, "--wait=false")


@pytest.mark.parametrize("wait", WAITS)
def test_pod_without_room_is_the_nodes_error(ended: Mapping[str, "Future[None]"], wait: str) -> None:
    with pytest.raises(NodeError, match=r"no room for pod too-large/.*: it requests cpu 100, pods 1,") as raised:
        ended[wait].result()

    # Of a mutant's own failure there are classes below it.
    assert raised.type is NodeError
