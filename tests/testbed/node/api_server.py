"""Kubernetes' API server with its etcd and nothing else: keeps objects and checks rights, and runs no pod.

Needs neither root nor namespaces. Errors: ServerError and MissingProgramError, as for every server.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from live.node import pki
from live.node.kubectl import Kubectl
from live.node.programs import Programs, programs
from live.servers.process import Server, answers, free_port


@dataclass(kw_only=True)
class _Etcd(Server):
    name: ClassVar[str] = "etcd"
    peer_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> Sequence[str]:
        peers = f"http://127.0.0.1:{self.peer_port}"
        flags = {
            "name": "here",
            "data-dir": self.folder / "etcd",
            "initial-cluster": f"here={peers}",
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
        }
        # What it keeps ends with it, so it need not wait for the disk.
        return [
            str(programs().go / "etcd"),
            "--unsafe-no-fsync",
            *(f"--{flag}={value}" for flag, value in flags.items()),
        ]

    def ready(self) -> bool:
        return answers(f"{self.url}/health")


@dataclass(kw_only=True)
class ApiServer(Kubectl, Server):
    """An API server at ``url`` with RBAC; ``kubeconfig`` is the administrator's."""

    name: ClassVar[str] = "kube-apiserver"

    flags: Mapping[str, str] = field(default_factory=dict)
    """More of its flags."""
    _etcd: _Etcd = field(init=False, repr=False)
    _programs: Programs = field(init=False, repr=False)

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        """Of the administrator."""
        return self.folder / "admin.kubeconfig"

    @property
    def authority(self) -> Path:
        """Certificate of the authority that signed its own."""
        return self.folder / "pki/ca.crt"

    def prepare(self) -> Sequence[str]:
        """Starts etcd first."""
        self._programs = programs()
        self._etcd = _Etcd(data=self.folder / "etcd-server").start()
        folder = self.folder / "pki"
        authority = pki.Authority(folder)
        authority.issue("server", "kube-apiserver", hosts=["127.0.0.1"])
        authority.issue("admin", "admin", group="system:masters")
        authority.issue("sa", "service-accounts")
        pki.kubeconfig(self.kubeconfig, server=self.url, folder=folder, user="admin")
        flags = {
            "etcd-servers": self._etcd.url,
            "bind-address": "127.0.0.1",
            "secure-port": self.port,
            # Without it the server would write its own address, 127.0.0.1, as an endpoint, which it refuses.
            "endpoint-reconciler-type": "none",
            "service-cluster-ip-range": "10.96.0.0/16",
            "client-ca-file": folder / "ca.crt",
            "tls-cert-file": folder / "server.crt",
            "tls-private-key-file": folder / "server.key",
            "authorization-mode": "RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": folder / "sa.crt",
            "service-account-signing-key-file": folder / "sa.key",
            **self.flags,
        }
        return [str(self._programs.go / "kube-apiserver"), *(f"--{flag}={value}" for flag, value in flags.items())]

    @property
    def kubectl_program(self) -> Path:
        """kubectl of the API server's version."""
        return self._programs.go / "kubectl"

    def ready(self) -> bool:
        """Whether it answers that it is."""
        return self.kubectl("get", "--raw", "/readyz", check=False).strip() == "ok"

    def stop(self) -> None:
        """Etcd last."""
        super().stop()
        self._etcd.stop()

    def account_kubeconfig(self, file: Path, *, namespace: str, name: str) -> Path:
        """Write a kubeconfig with a token of a ServiceAccount."""
        token = self.kubectl("--namespace", namespace, "create", "token", name).strip()
        content = json.loads(self.kubeconfig.read_text())
        # In place of the administrator's certificate, which would win over a token.
        content["users"][0]["user"] = {"token": token}
        file.write_text(json.dumps(content))
        return file
