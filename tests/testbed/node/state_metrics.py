"""kube-state-metrics beside the node: what the API server knows of objects, as metrics."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from live.node.programs import build, wrapped
from live.node.versions import KUBE_STATE_METRICS
from live.servers.cache import locked, require
from live.servers.process import Server, answers, free_port


@dataclass(kw_only=True)
class StateMetrics(Server):
    """Of pods, Jobs and CronJobs in ``namespace`` of the cluster that ``kubeconfig`` leads to."""

    name: ClassVar[str] = "kube-state-metrics"

    kubeconfig: Path
    namespace: str
    own_metrics: int = field(default_factory=free_port)

    def prepare(self) -> Sequence[str]:
        """Build it once a machine."""
        flags = {
            "kubeconfig": self.kubeconfig,
            "namespaces": self.namespace,
            "resources": "cronjobs,jobs,pods",
            "host": "127.0.0.1",
            "port": self.port,
            # What it measures of itself is on another port, which is not optional.
            "telemetry-host": "127.0.0.1",
            "telemetry-port": self.own_metrics,
        }
        return [str(_program()), *(f"--{name}={value}" for name, value in flags.items())]

    def ready(self) -> bool:
        """Whether it answers."""
        return answers(f"http://127.0.0.1:{self.port}/healthz")


def _program() -> Path:
    require("go", "golang")
    # One build at a time: each uses every processor.
    with locked("node-programs"):
        return build(wrapped(StateMetrics.name, KUBE_STATE_METRICS))
