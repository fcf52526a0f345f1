"""A container's probe: an HTTP request as the kubelet sends it, and how many failures it forgives."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Self

from live.cluster.objects import Unsupported

POD_ADDRESS = "10.42.0.17"
"""What stands in the Host header: the kubelet calls a pod by its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One of a container's probes; times in seconds."""

    path: str
    container_port: int
    port: int
    """Where that port is on this machine."""
    period: float
    timeout: float
    failures: int
    """How many in a row make the verdict."""

    @classmethod
    def of(cls, container: Mapping[str, Any], kind: str, ports: Mapping[int, int]) -> Self | None:
        """The probe ``kind``, such as ``readinessProbe``, or nothing where the container has none.

        Raises:
            Unsupported: it is no HTTP request.
        """
        spec = container.get(kind)
        if spec is None:
            return None
        if "httpGet" not in spec:
            raise Unsupported(f"{kind} without httpGet")
        inside = _port(container, spec["httpGet"]["port"])
        return cls(
            path=spec["httpGet"]["path"],
            container_port=inside,
            port=ports[inside],
            period=spec.get("periodSeconds", 10),
            timeout=spec.get("timeoutSeconds", 1),
            failures=spec.get("failureThreshold", 3),
        )

    def succeeds(self) -> bool:
        """Whether one request gets an answer from 200 to 399 in time."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request("GET", self.path, headers={"Host": f"{POD_ADDRESS}:{self.container_port}"})
            return 200 <= connection.getresponse().status < 400
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


@dataclass
class Watch:
    """A probe over time; without one, all is always well."""

    probe: Probe | None
    misses: int = 0
    """Failures since the last success."""
    _next: float = 0

    def look(self) -> None:
        """Probe, if it is time."""
        if self.probe and time.monotonic() >= self._next:
            self.misses = 0 if self.probe.succeeds() else self.misses + 1
            self._next = time.monotonic() + self.probe.period

    @property
    def failed(self) -> bool:
        """Whether it failed as often in a row as makes the verdict."""
        return self.probe is not None and self.misses >= self.probe.failures


def _port(container: Mapping[str, Any], port: str | int) -> int:
    if isinstance(port, int):
        return port
    return next(int(item["containerPort"]) for item in container["ports"] if item["name"] == port)
