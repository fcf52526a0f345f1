"""A Job: its pod is run until it succeeds, and after a failure as the Job's policy says."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from live.cluster.pod import Pod

NewPod = Callable[[str, Mapping[str, Any]], Pod]
"""Makes a pod of an owner's name and a template."""

FIRST_PAUSE_SECONDS = 1.0
"""Kubernetes begins with ten and doubles, too."""


class JobError(Exception):
    """A Job failed for good; the text has the end of its last pod's log."""


class Job:
    """Runs the object ``body``; after :meth:`run` each attempt's pod stands in ``pods``."""

    def __init__(self, body: Mapping[str, Any], new_pod: NewPod) -> None:
        self.name: str = body["metadata"]["name"]
        self.pods: list[Pod] = []
        self._spec = body["spec"]
        self._new_pod = new_pod

    def run(self) -> None:
        """Run it to its end.

        Raises:
            JobError: a pod failed terminally, too often, or not in time.
        """
        deadline = time.monotonic() + self._spec["activeDeadlineSeconds"]
        counted, pause = 0, FIRST_PAUSE_SECONDS
        while (code := self._attempt()) != 0:
            action = self._action(code)
            counted += action == "Count"
            if action == "FailJob" or counted > self._spec["backoffLimit"] or time.monotonic() > deadline:
                raise JobError(f"{self.name} failed with exit code {code}; {self.pods[-1].last_words()}")
            time.sleep(pause)
            pause *= 2

    def _attempt(self) -> int:
        pod = self._new_pod(self.name, self._spec["template"])
        self.pods.append(pod)
        try:
            return pod.run()
        finally:
            pod.volumes.discard(pod.name)

    def _action(self, code: int) -> str:
        """What the pod failure policy says of an exit code; the first rule that names it wins."""
        for rule in self._spec.get("podFailurePolicy", {}).get("rules", []):
            if code in rule.get("onExitCodes", {}).get("values", []):
                return str(rule["action"])
        return "Count"
