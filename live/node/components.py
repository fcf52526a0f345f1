"""Configurations and command lines of what a Kubernetes node runs; every file lies in the node's folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """``folder`` has certificates below ``pki`` and kubeconfigs; ``images`` keeps what containerd has imported."""

    programs: Programs
    folder: Path
    images: Path
    cgroup: str
    """Path of the cgroup below which all pods are."""

    def write(self) -> None:
        """Write every configuration."""
        networks = self.folder / "cni"
        networks.mkdir(parents=True, exist_ok=True)
        self._json("cni/10-node.conflist", _pod_network())
        self._json("kubelet.yaml", self._kubelet())
        self._json("kube-proxy.yaml", self._kube_proxy())
        (self.folder / "resolv.conf").write_text(f"nameserver {ADDRESS}\n")
        (self.folder / "containerd.toml").write_text(self._containerd())

    @property
    def container_runtime(self) -> Sequence[str]:
        return ["containerd", "--config", str(self.folder / "containerd.toml")]

    @property
    def etcd(self) -> Sequence[str]:
        """Without waiting for the disk: what it keeps ends with the node."""
        clients, peers = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
        return [
            *self._program("etcd", name=NAME, data_dir=self.folder / "etcd", initial_cluster=f"{NAME}={peers}"),
            *(f"--{flag}={clients}" for flag in ("listen-client-urls", "advertise-client-urls")),
            *(f"--{flag}={peers}" for flag in ("listen-peer-urls", "initial-advertise-peer-urls")),
            "--unsafe-no-fsync",
        ]

    @property
    def api_server(self) -> Sequence[str]:
        pki = self.folder / "pki"
        return self._program(
            "kube-apiserver",
            etcd_servers="http://127.0.0.1:2379",
            bind_address="0.0.0.0",  # noqa: S104  (in a network namespace of its own)
            secure_port=API_PORT,
            advertise_address=ADDRESS,
            service_cluster_ip_range=SERVICE_NETWORK,
            client_ca_file=pki / "ca.crt",
            tls_cert_file=pki / "apiserver.crt",
            tls_private_key_file=pki / "apiserver.key",
            authorization_mode="Node,RBAC",
            enable_admission_plugins="NodeRestriction",
            service_account_issuer="https://kubernetes.default.svc",
            service_account_key_file=pki / "sa.crt",
            service_account_signing_key_file=pki / "sa.key",
            kubelet_client_certificate=pki / "apiserver-kubelet.crt",
            kubelet_client_key=pki / "apiserver-kubelet.key",
            kubelet_certificate_authority=pki / "ca.crt",
            kubelet_preferred_address_types="InternalIP",
            allow_privileged="true",
            # By these it says to an aggregated API, such as that of metrics, who asks.
            requestheader_client_ca_file=pki / "ca.crt",
            requestheader_allowed_names="front-proxy",
            requestheader_username_headers="X-Remote-User",
            requestheader_group_headers="X-Remote-Group",
            requestheader_extra_headers_prefix="X-Remote-Extra-",
            proxy_client_cert_file=pki / "front-proxy.crt",
            proxy_client_key_file=pki / "front-proxy.key",
        )

    @property
    def controllers(self) -> Mapping[str, Sequence[str]]:
        """What runs beside the API server and the container runtime."""
        pki, folder = self.folder / "pki", self.folder
        local = {"bind_address": "127.0.0.1", "leader_elect": "false"}
        return {
            "kube-controller-manager": self._program(
                "kube-controller-manager",
                **local,
                kubeconfig=folder / "controller-manager.kubeconfig",
                use_service_account_credentials="true",
                service_account_private_key_file=pki / "sa.key",
                root_ca_file=pki / "ca.crt",
                allocate_node_cidrs="true",
                cluster_cidr=POD_NETWORK,
                node_cidr_mask_size=24,
            ),
            "kube-scheduler": self._program("kube-scheduler", **local, kubeconfig=folder / "scheduler.kubeconfig"),
            "kubelet": self._program(
                "kubelet",
                config=folder / "kubelet.yaml",
                kubeconfig=folder / "kubelet.kubeconfig",
                root_dir=KUBELET,
                cert_dir=folder / "kubelet/pki",
                node_ip=ADDRESS,
                hostname_override=NAME,
            ),
            "kube-proxy": self._program("kube-proxy", config=folder / "kube-proxy.yaml"),
        }

    @property
    def firewall(self) -> Sequence[str]:
        """What enforces NetworkPolicies; it looks for its node when it starts, and ends if there is none."""
        return self._program(
            "kube-router",
            kubeconfig=self.folder / "admin.kubeconfig",
            hostname_override=NAME,
            run_firewall="true",
            run_router="false",
            run_service_proxy="false",
            service_cluster_ip_range=SERVICE_NETWORK,
        )

    def _program(self, program: str, **flags: object) -> list[str]:
        return [
            str(self.programs.go / program),
            *(f"--{flag.replace('_', '-')}={value}" for flag, value in flags.items()),
        ]

    def _json(self, name: str, content: Mapping[str, Any]) -> None:
        # JSON is YAML, too.
        (self.folder / name).write_text(json.dumps(content))

    def _kubelet(self) -> Mapping[str, Any]:
        pki = self.folder / "pki"
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            # This machine may still have cgroup v1, which newer kubelets refuse unless told otherwise.
            "failCgroupV1": False,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": self.cgroup,
            "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
            "healthzBindAddress": "127.0.0.1",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(pki / "kubelet-serving.crt"),
            "tlsPrivateKeyFile": str(pki / "kubelet-serving.key"),
            "clusterDNS": [DNS_SERVICE],
            "clusterDomain": "cluster.local",
            "resolvConf": str(self.folder / "resolv.conf"),
            "podLogsDir": str(self.folder / "pod-logs"),
            # Six times as often as by default, so that no test waits a minute for a Secret that has changed.
            "syncFrequency": "10s",
            "failSwapOn": False,
            "oomScoreAdj": 0,
            # kube-proxy works by nftables, and nothing here uses these chains.
            "makeIPTablesUtilChains": False,
            # The defaults, a tenth of the disk, are often less than a developer's machine has free.
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            # No image can be pulled again, so none may be collected on a full disk.
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
        }

    def _kube_proxy(self) -> Mapping[str, Any]:
        # Zeros leave the machine's own limits of connection tracking as they are.
        untouched = {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "clientConnection": {"kubeconfig": str(self.folder / "proxy.kubeconfig")},
            "clusterCIDR": POD_NETWORK,
            "hostnameOverride": NAME,
            "oomScoreAdj": 0,
            "conntrack": untouched,
        }

    def _containerd(self) -> str:
        cri = 'plugins."io.containerd.grpc.v1.cri"'
        return f"""\
version = 2
root = "{self.images}"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "{CONTAINERD}"
[{cri}]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
[{cri}.cni]
  bin_dir = "{self.programs.debian}/usr/lib/cni"
  conf_dir = "{self.folder}/cni"
[{cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[{cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[{cri}.containerd.runtimes.runc.options]
  BinaryName = "{self.programs.tools}/runc"
  SystemdCgroup = false
"""


def _pod_network() -> Mapping[str, Any]:
    """A wire for each pod, so that kube-proxy and the firewall see all of its traffic; a bridge needs br_netfilter."""
    addresses = {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": POD_NETWORK}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {"cniVersion": "0.4.0", "name": "node", "plugins": [{"type": "ptp", "mtu": 1500, "ipam": addresses}]}
