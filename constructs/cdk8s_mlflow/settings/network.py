"""Who may talk to the pods, and to whom the pods may talk."""

from cdk8s_mlflow.settings.section import Cidr, DnsLabel, Hostname, Labels, Port, Section


class NetworkSettings(Section):
    """NetworkPolicies that select our own pods alone."""

    policies: bool = True
    """Write NetworkPolicies; false where the cluster's network does not enforce them."""

    cluster_domain: Hostname = "cluster.local"
    """DNS domain of the cluster."""

    ingress_namespace: DnsLabel = "kube-system"
    """Namespace of Traefik's pods."""

    ingress_pod_labels: Labels = {"app.kubernetes.io/name": "traefik"}
    """Labels of Traefik's pods."""

    ingress_container_port: Port = 8443
    """Port of Traefik's container for TLS: Keycloak's public address may be rewritten to it in the cluster."""

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
