"""Who may talk to the pods, and to whom the pods may talk."""

from cdk8s_mlflow.settings.addresses import Cidr, Hostname
from cdk8s_mlflow.settings.section import DnsLabel, Labels, Port, Section


class NetworkSettings(Section):
    """NetworkPolicies that select our own pods alone."""

    policies: bool = True
    """Write NetworkPolicies; false where the cluster's network does not enforce them."""

    cluster_domain: Hostname = "cluster.local"
    """DNS domain of the cluster."""

    ingress_namespace: DnsLabel | None = None
    """Namespace of the ingress controller's pods; by default where its own documentation installs it."""

    ingress_pod_labels: Labels | None = None
    """Labels of the ingress controller's pods; by default those of its own documentation, {} for all pods."""

    ingress_container_port: Port | None = None
    """Its container's port for TLS, to which Keycloak's public address may be rewritten; by default its usual one."""

    ingress_cidrs: tuple[Cidr, ...] = ()
    """Networks that requests come from if not from pods: subnets of a load balancer, nodes with host network."""

    client_namespaces: tuple[DnsLabel, ...] = ()
    """Namespaces whose pods may call the Service without going through the Ingress."""

    dns_namespace: DnsLabel = "kube-system"
    """Namespace of the cluster's DNS."""

    dns_pod_labels: Labels = {"k8s-app": "kube-dns"}
    """Labels of the DNS pods."""

    keycloak_cidrs: tuple[Cidr, ...] = ()
    """Networks of Keycloak's public address; unset, every public address is allowed on its port."""

    artifact_cidrs: tuple[Cidr, ...] = ()
    """Networks of an S3 outside the cluster; unset, every public address is allowed on its port."""

    database_cidrs: tuple[Cidr, ...] = ()
    """Networks of a PostgreSQL outside the cluster."""

    redis_cidrs: tuple[Cidr, ...] = ()
    """Networks of a Redis outside the cluster."""
