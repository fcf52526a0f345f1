"""metrics-server on the node, by which a HorizontalPodAutoscaler and ``kubectl top`` learn what pods use."""

import json
from pathlib import Path

from live.node.components import ADDRESS
from live.node.node import Node

_PORT = 4443


def start_metrics(node: Node) -> None:
    """Start it as a process of the node, and wait until it has measured; raises ``NodeError`` if it does not."""
    admin, pki = node.folder / "admin.kubeconfig", node.folder / "pki"
    flags = {
        "kubeconfig": admin,
        "authentication-kubeconfig": admin,
        "authorization-kubeconfig": admin,
        "secure-port": _PORT,
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
        "kubelet-certificate-authority": pki / "ca.crt",
        "kubelet-preferred-address-types": "InternalIP",
        # Four times as often as by default, so that an autoscaler is soon told.
        "metric-resolution": "15s",
    }
    node.spawn("metrics-server", ["metrics-server", *(f"--{flag}={value}" for flag, value in flags.items())])
    template = Path(__file__).with_name("metrics.yaml").read_text()
    manifests = template.replace("ADDRESS", ADDRESS).replace("4443", str(_PORT))
    node.kubectl("apply", "--server-side", "--filename", "-", stdin=manifests)
    node.wait("metrics-server", lambda: _measured(node))


def _measured(node: Node) -> bool:
    answer = node.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes", check=False)
    return answer.startswith("{") and bool(json.loads(answer).get("items"))
