"""The programs of the node, pinned: Go modules whose contents the module proxy's checksum database vouches for."""

KUBERNETES = "1.35.4"
"""k8s.io/kubernetes; its staging modules are published as v0.MINOR.PATCH."""

KUBERNETES_COMMANDS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)

WRAPPED = {
    "etcd": ("go.etcd.io/etcd/server/v3", "v3.6.16", "go.etcd.io/etcd/server/v3"),
    "coredns": ("github.com/coredns/coredns", "v1.14.7", "github.com/coredns/coredns"),
    "kube-router": (
        "github.com/cloudnativelabs/kube-router/v2",
        "v2.1.0",
        "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",
    ),
    "metrics-server": ("sigs.k8s.io/metrics-server", "v0.8.0", "sigs.k8s.io/metrics-server/cmd/metrics-server"),
}
"""Module, version and package of commands that build as they are, required by a module of our own."""

KUBE_STATE_METRICS = ("k8s.io/kube-state-metrics/v2", "v2.18.0", "k8s.io/kube-state-metrics/v2")
"""Likewise; no node runs it, only who asks for the alerts that need it."""

TRAEFIK = ("github.com/traefik/traefik/v3", "v3.7.13")
KUSTOMIZE_CONTROLLER = ("github.com/fluxcd/kustomize-controller", "v1.9.6")
SOURCE_CONTROLLER = ("github.com/fluxcd/source-controller", "v1.9.4")
"""Only its CustomResourceDefinitions: the controller itself cannot be built from the module proxy."""
GATEWAY_API = ("sigs.k8s.io/gateway-api", "v1.6.1")
"""Its CustomResourceDefinitions, of the version that Traefik was built with."""

DEBIAN_PACKAGES = (
    *("containerd", "runc", "containernetworking-plugins", "nftables", "libnftables1", "libnftnl11", "libmnl0"),
    *("libjansson4", "libedit2", "libxtables12", "conntrack", "libnetfilter-conntrack3", "libnfnetlink0", "iptables"),
    *("libip4tc2", "libip6tc2", "ipset", "libipset13", "kmod", "libbsd0", "libseccomp2"),
)
"""Unpacked, never installed, so that nothing of the machine changes."""
