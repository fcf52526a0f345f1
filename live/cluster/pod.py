"""A pod: its init containers one after the other, then its container, watched by its probes until it is stopped."""

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from live.cluster.container import Container
from live.cluster.image import Image
from live.cluster.probe import Probe, Watch
from live.cluster.volumes import Volumes
from live.servers.process import free_port

STARTUP_POLL_SECONDS = 0.25
"""How often to look while a container starts; a kubelet does so once a period."""
RESTART_SECONDS = 1
"""Pause before a container that ended is started again."""
HOPELESS_RESTARTS = 3
"""After so many nobody waits any longer; the pod itself is started for ever, as in a cluster."""

_numbers = itertools.count(1)


class PodError(Exception):
    """A pod did not come up; the text has the end of its log."""


@dataclass(kw_only=True)
class Pod:
    """One pod of a template, as a thread that does a kubelet's work; ``changed`` is called when readiness changes."""

    owner: str
    template: Mapping[str, Any]
    image: Image
    volumes: Volumes
    links: Mapping[str, str] = field(default_factory=dict)
    """Service variables, which the kubelet injects unless the pod refuses them."""
    changed: Callable[[], None] = lambda: None
    name: str = field(init=False)
    ports: dict[int, int] = field(init=False)
    ready: bool = field(init=False, default=False)
    restarts: int = field(init=False, default=0)
    killed: bool = field(init=False, default=False)
    """Whether it had to be killed because it did not stop in time."""

    def __post_init__(self) -> None:
        self.name = f"{self.owner}-{next(_numbers)}"
        inside = [port["containerPort"] for port in self.container_spec.get("ports", [])]
        self.ports = {port: free_port() for port in inside}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name=self.name, daemon=True)

    @property
    def spec(self) -> Mapping[str, Any]:
        """The pod's specification."""
        spec: Mapping[str, Any] = self.template["spec"]
        return spec

    @property
    def container_spec(self) -> Mapping[str, Any]:
        """Its container; ours have one."""
        (only,) = self.spec["containers"]
        container: Mapping[str, Any] = only
        return container

    @property
    def log(self) -> Path:
        """What its containers printed."""
        return self.volumes.folder / f"{self.name}.log"

    @cached_property
    def folders(self) -> Mapping[str, Path]:
        """Its volumes, by name, made at the first look."""
        return self.volumes.lay_out(self.name, self.spec.get("volumes", []))

    @cached_property
    def container(self) -> Container:
        """Its container."""
        return self._container(self.container_spec)

    def _container(self, spec: Mapping[str, Any]) -> Container:
        linked = self.spec.get("enableServiceLinks", True)
        return Container(
            spec=spec,
            pod_spec=self.spec,
            image=self.image,
            volumes=self.folders,
            injected={"HOSTNAME": self.name, **KUBERNETES, **(self.links if linked else {})},
            ports=self.ports,
            log=self.log,
        )

    def run(self) -> int:
        """Run a pod that ends by itself, in the caller's thread; the exit code of the first container that fails."""
        self.volumes.folder.mkdir(parents=True, exist_ok=True)
        for container in [*map(self._container, self.spec.get("initContainers", [])), self.container]:
            container.start()
            code = container.wait() or 0
            if code:
                return code
        return 0

    def start(self) -> None:
        """Start it without waiting.

        Raises:
            LookupError: a Secret or ConfigMap that it mounts is not there.
        """
        self.volumes.folder.mkdir(parents=True, exist_ok=True)
        _ = self.folders
        self._thread.start()

    def wait_ready(self, seconds: float) -> None:
        """Wait until its readiness probe succeeds.

        Raises:
            PodError: it is not ready in time, or ends again and again.
        """
        deadline = time.monotonic() + seconds
        while not self.ready:
            if self.restarts >= HOPELESS_RESTARTS or not self._thread.is_alive():
                raise PodError(f"pod {self.name} ended {self.restarts} times; {self.last_words()}")
            if time.monotonic() > deadline:
                raise PodError(f"pod {self.name} is not ready after {seconds:.0f} s; {self.last_words()}")
            time.sleep(0.05)

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()[-25:] if self.log.exists() else []
        return "\n".join([f"the end of {self.log}:", *lines])

    def stop(self) -> None:
        """Take it out of service, run its preStop hook, end it within its grace period, and wait for that."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self.volumes.discard(self.name)

    def _live(self) -> None:
        while not self._stopping.is_set():
            if self._initialised():
                self.container.start()
                self._watch()
            self._set_ready(False)
            if not self._stopping.is_set():
                self.restarts += 1
                self._stopping.wait(RESTART_SECONDS)

    def _initialised(self) -> bool:
        for container in map(self._container, self.spec.get("initContainers", [])):
            container.start()
            while container.wait(0.1) is None:
                if self._stopping.is_set():
                    container.stop(0)
            if container.exit_code:
                return False
        return not self._stopping.is_set()

    def _watch(self) -> None:
        """Until it ends, is stopped, or a probe gives it up."""
        startup = Probe.of(self.container_spec, "startupProbe", self.ports)
        if startup is None or self._started(startup):
            self._probe()
        self._end()

    def _started(self, probe: Probe) -> bool:
        deadline = time.monotonic() + probe.period * probe.failures
        while self._running() and time.monotonic() < deadline:
            if probe.succeeds():
                return True
            self._stopping.wait(STARTUP_POLL_SECONDS)
        return False

    def _running(self) -> bool:
        return self.container.exit_code is None and not self._stopping.is_set()

    def _probe(self) -> None:
        readiness, liveness = (
            Watch(Probe.of(self.container_spec, kind, self.ports)) for kind in ("readinessProbe", "livenessProbe")
        )
        while self._running() and not liveness.failed:
            readiness.look()
            liveness.look()
            self._set_ready(not readiness.failed if self.ready else readiness.misses == 0)
            self._stopping.wait(0.1)

    def _set_ready(self, ready: bool) -> None:
        if ready != self.ready:
            self.ready = ready
            self.changed()

    def _end(self) -> None:
        self._set_ready(False)
        hook = self.container_spec.get("lifecycle", {}).get("preStop")
        if self.container.exit_code is None and hook and self._stopping.is_set():
            self.container.run(hook["exec"]["command"])
        self.killed = not self.container.stop(self.spec.get("terminationGracePeriodSeconds", 30))


KUBERNETES = {
    "KUBERNETES_SERVICE_HOST": "10.43.0.1",
    "KUBERNETES_SERVICE_PORT": "443",
    "KUBERNETES_PORT": "tcp://10.43.0.1:443",
}
"""What every pod has, service links or not."""
