"""A Deployment: as many pods as it asks for, replaced one by one, the new one ready before the old one is stopped."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from live.cluster.job import NewPod
from live.cluster.objects import Unsupported
from live.cluster.pod import Pod


class Deployment:
    """Runs the object ``body``; ``changed`` is called when a pod becomes ready or is no longer."""

    def __init__(self, body: Mapping[str, Any], new_pod: NewPod, *, changed: Callable[[], None]) -> None:
        self.name: str = body["metadata"]["name"]
        self._body = body
        self._new_pod = new_pod
        self._changed = changed
        self.pods: list[Pod] = []

    @property
    def ready_pods(self) -> list[Pod]:
        """Pods that a Service sends requests to."""
        return [pod for pod in self.pods if pod.ready]

    def start(self, *, replicas: int | None = None) -> None:
        """Start its pods without waiting, or another number of them."""
        for _ in range(replicas or self._body["spec"]["replicas"]):
            self._add()

    def wait_ready(self) -> None:
        """Wait until every pod is ready, as long as its progress deadline allows.

        Raises:
            PodError: one is not.
        """
        for pod in list(self.pods):
            pod.wait_ready(self._body["spec"]["progressDeadlineSeconds"])

    def scale(self, replicas: int) -> None:
        """Have that many pods, as ``kubectl scale`` does, and wait until all are ready.

        Raises:
            PodError: one is not.
        """
        for pod in self.pods[replicas:]:
            self._remove(pod)
        for _ in range(replicas - len(self.pods)):
            self._add()
        self.wait_ready()

    def roll(self, body: Mapping[str, Any] | None = None) -> None:
        """Replace every pod, by one of a changed ``body`` where that is given.

        Raises:
            PodError: a new pod does not become ready; the old ones stay.
            Unsupported: the object's strategy is another.
        """
        self._body = body or self._body
        if self._body["spec"]["strategy"]["rollingUpdate"] != {"maxSurge": 1, "maxUnavailable": 0}:
            raise Unsupported("a rolling update other than one more and none less")
        for old in list(self.pods):
            self._add().wait_ready(self._body["spec"]["progressDeadlineSeconds"])
            self._remove(old)

    def _add(self) -> Pod:
        pod = self._new_pod(self.name, self._body["spec"]["template"])
        pod.changed = self._changed
        self.pods.append(pod)
        pod.start()
        return pod

    def _remove(self, pod: Pod) -> None:
        self.pods.remove(pod)
        self._changed()
        pod.stop()

    def stop(self) -> None:
        """Stop every pod, all at once."""
        stopping = [threading.Thread(target=self._remove, args=(pod,)) for pod in list(self.pods)]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
