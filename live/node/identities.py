"""Certificates and kubeconfigs of a node's programs and of its administrator."""

from pathlib import Path

from live.node.components import ADDRESS, API_PORT, API_SERVICE, NAME
from live.node.pki import Authority, kubeconfig, service_account_keys


def write_identities(folder: Path, *, outside: Path, url: str) -> None:
    """Write them below ``folder``, new ones each time; ``outside`` is the administrator's kubeconfig for ``url``."""
    pki = folder / "pki"
    authority = Authority.create(pki, "ca")
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    authority.issue("apiserver", "kube-apiserver", hosts=["127.0.0.1", ADDRESS, API_SERVICE, *names])
    authority.issue("kubelet-serving", NAME, hosts=[ADDRESS])
    authority.issue("apiserver-kubelet", "apiserver-kubelet", groups=["system:masters"])
    authority.issue("front-proxy", "front-proxy")
    authority.issue("admin", "admin", groups=["system:masters"])
    authority.issue("kubelet", f"system:node:{NAME}", groups=["system:nodes"])
    for name, user in (
        ("controller-manager", "kube-controller-manager"),
        ("scheduler", "kube-scheduler"),
        ("proxy", "kube-proxy"),
    ):
        authority.issue(name, f"system:{user}")
    service_account_keys(pki)
    inside = f"https://{ADDRESS}:{API_PORT}"
    for user in ("admin", "kubelet", "controller-manager", "scheduler", "proxy"):
        kubeconfig(folder / f"{user}.kubeconfig", server=inside, folder=pki, user=user)
    kubeconfig(outside, server=url, folder=pki, user="admin")
