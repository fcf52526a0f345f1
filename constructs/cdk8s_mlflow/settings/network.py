"""Allowed traffic of the pods, in and out."""

from typing import Annotated, Literal

from pydantic import Field

from cdk8s_mlflow.settings.addresses import Cidr, Hostname, NoProxy, Url
from cdk8s_mlflow.settings.pods import KubernetesLabels
from cdk8s_mlflow.settings.section import DnsLabel, Port, Section

OurPods = Literal["tracking-server", "migration", "maintenance", "backup", "end-access", "tunnel"]
"""Kinds of pods of ours, as the label app.kubernetes.io/component names them."""


class PodPeerSettings(Section):
    """Pods behind a Service, if neither its name nor its port says which they are."""

    namespace: DnsLabel | None = None
    """Namespace of the pods; by default that of the Service's address."""

    labels: KubernetesLabels = {}
    """Labels of the pods; {} for all pods of the namespace."""

    port: Port | None = None
    """Port of their container, which is what a policy sees; by default that of the address."""


class TrafficPortSettings(Section):
    """A port, or a range of them."""

    port: Port
    """Port of the container or of the address, not that of a Service in front of it."""

    end_port: Port | None = None
    """Last port of a range; unset for one port."""

    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    """Protocol of the port."""


class TrafficSettings(Section):
    """Peers that our pods may speak to, or that may speak to them: networks, or pods."""

    cidrs: tuple[Cidr, ...] = ()
    """Networks of the peers."""

    except_cidrs: tuple[Cidr, ...] = ()
    """Networks within ``cidrs`` that are left out."""

    namespace: DnsLabel | None = None
    """Namespace of the peers' pods."""

    pod_labels: KubernetesLabels = {}
    """Labels of the peers' pods; {} for all pods of the namespace."""

    ports: Annotated[tuple[TrafficPortSettings, ...], Field(min_length=1)]
    """Ports that are spoken to."""

    pods: Annotated[tuple[OurPods, ...], Field(min_length=1)] = ("tracking-server",)
    """Which pods of ours the rule is for."""


class ProxySettings(Section):
    """A forward proxy for https, which every pod of ours uses but the tunnel, whose program knows none."""

    url: Url
    """Address of the proxy, such as http://proxy.example.com:3128, without a login."""

    no_proxy: tuple[NoProxy, ...] = ()
    """Hosts and domains that are reached directly, beside Services of the cluster."""

    cidrs: tuple[Cidr, ...] = ()
    """Networks of the proxy, if its address is a name."""


class NetworkSettings(Section):
    """NetworkPolicies that select only our own pods."""

    policies: bool = True
    """Write NetworkPolicies; false where the cluster's network does not enforce them, and no peer is named then."""

    cluster_domain: Hostname = "cluster.local"
    """DNS domain of the cluster."""

    ingress_namespace: DnsLabel | None = None
    """Namespace of the ingress controller's pods; by default where its own documentation installs it."""

    ingress_pod_labels: KubernetesLabels | None = None
    """Labels of the ingress controller's pods; by default those of its own documentation, {} for all pods."""

    ingress_container_port: Port | None = None
    """Its container's port for TLS, to which Keycloak's public address may be rewritten; by default its usual one."""

    ingress_cidrs: tuple[Cidr, ...] = ()
    """Networks that requests come from if not from pods: subnets of a load balancer, nodes with host network."""

    client_namespaces: tuple[DnsLabel, ...] = ()
    """Namespaces whose pods may call the Service without going through the Ingress."""

    dns_namespace: DnsLabel | None = None
    """Namespace of the cluster's DNS; by default kube-system, or openshift-dns with ingress.controller openshift."""

    dns_pod_labels: KubernetesLabels | None = None
    """Labels of the DNS pods; by default k8s-app: kube-dns, or those of OpenShift's in openshift-dns."""

    dns_ports: tuple[Port, ...] = ()
    """Ports of the DNS pods' containers; by default 53, or 5353 in openshift-dns."""

    dns_cidrs: tuple[Cidr, ...] = ()
    """Networks of DNS servers that are no pods, such as 169.254.20.10/32 of NodeLocal DNSCache."""

    keycloak_cidrs: tuple[Cidr, ...] = ()
    """Networks of Keycloak's public address; unset, every public address is allowed on its port."""

    keycloak_pods: PodPeerSettings | None = None
    """Pods of a Keycloak in the cluster, if its address leads to them directly."""

    artifact_cidrs: tuple[Cidr, ...] = ()
    """Networks of an S3 outside the cluster; unset, every public address is allowed on its port."""

    artifact_pods: PodPeerSettings | None = None
    """Pods of an S3 in the cluster; by default all of its namespace on the address's port, MinIO's or Rook's."""

    backup_cidrs: tuple[Cidr, ...] = ()
    """Networks of ``backup.endpoint``, if that is another S3 than that of the artifacts."""

    backup_pods: PodPeerSettings | None = None
    """Pods of ``backup.endpoint``, if that is another S3 than that of the artifacts."""

    database_cidrs: tuple[Cidr, ...] = ()
    """Networks of a PostgreSQL outside the cluster; by default its address, or any address if it is a name."""

    database_pods: PodPeerSettings | None = None
    """Pods of a PostgreSQL or a pooler in the cluster; by default those of the CloudNativePG Cluster it belongs to."""

    redis_cidrs: tuple[Cidr, ...] = ()
    """Networks of an ``authentication.redis`` outside the cluster; by default its address, or any if it is a name."""

    redis_pods: PodPeerSettings | None = None
    """Pods of a Redis in the cluster; by default all of its namespace on the address's port."""

    proxy: ProxySettings | None = None
    """A forward proxy for https to the outside; unset for none."""

    extra_egress: tuple[TrafficSettings, ...] = ()
    """More that our pods may speak to, such as a webhook's receiver."""

    extra_ingress: tuple[TrafficSettings, ...] = ()
    """More that may speak to our pods."""
