"""Configurations and command lines of what a Kubernetes node runs, from the templates in ``configuration/``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

import yaml

from live.node.programs import Programs

NAME = "node"
ADDRESS = "10.240.0.2"
API_PORT = 6443
POD_NETWORK = "10.244.0.0/24"
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
CONTAINERD = "/run/containerd.sock"
"""In the node's own /run."""
KUBELET = "/run/kubelet"
"""Where the node's folder of that name is mounted: a socket below it may have a path of at most 107 bytes."""
PAUSE_IMAGE = "docker.io/node/forward:1"
CONTROLLERS = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
"""What runs beside the API server and the container runtime."""

_TEMPLATES = Path(__file__).with_name("configuration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """``folder`` has certificates below ``pki`` and kubeconfigs; ``images`` keeps what containerd has imported."""

    programs: Programs
    folder: Path
    images: Path
    cgroup: str
    """Path of the cgroup below which all pods are."""

    def write(self) -> None:
        """Write every configuration into the folder."""
        for template in filter(Path.is_file, _TEMPLATES.rglob("*")):
            target = self.folder / template.relative_to(_TEMPLATES)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._filled(template))

    def command(self, program: str) -> Sequence[str]:
        """The command line of a program of the node."""
        flags = yaml.safe_load((self.folder / "flags.yaml").read_text())[program]
        return [program, *(f"--{flag}={value}" for flag, value in flags.items())]

    def _filled(self, template: Path) -> str:
        return Template(template.read_text()).substitute(
            name=NAME,
            address=ADDRESS,
            api_port=API_PORT,
            pod_network=POD_NETWORK,
            service_network=SERVICE_NETWORK,
            dns_service=DNS_SERVICE,
            containerd=CONTAINERD,
            kubelet=KUBELET,
            pause_image=PAUSE_IMAGE,
            folder=self.folder,
            pki=self.folder / "pki",
            images=self.images,
            cgroup=self.cgroup,
            debian=self.programs.debian,
            tools=self.programs.tools,
        )
