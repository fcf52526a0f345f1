"""The cluster's authority, certificates and kubeconfigs, new for each node."""

import json
from collections.abc import Sequence
from pathlib import Path

import trustme

from live.files import write_whole
from live.node.components import ADDRESS, API_PORT, API_SERVICE, NAME


class Authority:
    """Signs certificates into ``folder``, and keeps its key in memory only; its own is ``ca.crt``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._authority = folder, trustme.CA()
        self._authority.cert_pem.write_to_path(folder / "ca.crt")

    def issue(self, name: str, user: str, *, group: str | None = None, hosts: Sequence[str] = ()) -> None:
        """Write ``name.crt`` and ``name.key`` for ``user`` as a client, and for a server that has ``hosts``."""
        # Programs in Go refuse a certificate that is valid for no name at all.
        issued = self._authority.issue_cert(*(hosts or [name]), common_name=user, organization_name=group)
        issued.cert_chain_pems[0].write_to_path(self._folder / f"{name}.crt")
        write_whole(self._folder / f"{name}.key", issued.private_key_pem.bytes())


def kubeconfig(file: Path, *, server: str, folder: Path, user: str) -> Path:
    """Write a kubeconfig for the certificate ``user`` of ``folder``, as JSON, which is YAML, too."""
    cluster = {"server": server, "certificate-authority": str(folder / "ca.crt")}
    login = {"client-certificate": str(folder / f"{user}.crt"), "client-key": str(folder / f"{user}.key")}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "node", "cluster": cluster}],
        "users": [{"name": user, "user": login}],
        "contexts": [{"name": "node", "context": {"cluster": "node", "user": user}}],
        "current-context": "node",
    }
    write_whole(file, json.dumps(content))
    return file


def write_identities(folder: Path, *, outside: Path, url: str) -> None:
    """Write those of a node below ``folder``, new ones each time.

    ``outside`` is the administrator's kubeconfig for ``url``; tokens of ServiceAccounts are signed by ``pki/sa.key``.
    """
    pki = folder / "pki"
    authority = Authority(pki)
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    authority.issue("apiserver", "kube-apiserver", hosts=["127.0.0.1", ADDRESS, API_SERVICE, *names])
    authority.issue("kubelet-serving", NAME, hosts=[ADDRESS])
    authority.issue("apiserver-kubelet", "apiserver-kubelet", group="system:masters")
    authority.issue("front-proxy", "front-proxy")
    authority.issue("sa", "service-accounts")
    inside = f"https://{ADDRESS}:{API_PORT}"
    for name, user, group in (
        ("admin", "admin", "system:masters"),
        ("kubelet", f"system:node:{NAME}", "system:nodes"),
        ("controller-manager", "system:kube-controller-manager", None),
        ("scheduler", "system:kube-scheduler", None),
        ("proxy", "system:kube-proxy", None),
    ):
        authority.issue(name, user, group=group)
        kubeconfig(folder / f"{name}.kubeconfig", server=inside, folder=pki, user=name)
    kubeconfig(outside, server=url, folder=pki, user="admin")
