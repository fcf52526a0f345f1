"""Who may talk to our pods and to whom they may talk; every policy selects our own pods alone."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow.contract import HTTP_PORT, METRICS_PORT
from cdk8s_mlflow.metadata import WAVE_CONFIGURATION, Component, metadata, selector
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.tunnel import METRICS_PORT as TUNNEL_METRICS_PORT

PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")
"""What "every public address" leaves out (RFC 1918, 3927, 6598)."""

_POD_IDENTITY_AGENT = "169.254.170.23/32"
"""EKS Pod Identity's agent on each node."""

_TUNNEL_PORT = 7844
"""Port of Cloudflare's edge, over QUIC and TCP."""


class NetworkPolicies(Construct):
    """One policy for the server, one for each kind of job, one for the tunnel."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        outward = [*_dns(settings), _to_database(settings)]
        artifacts = _to_artifacts(settings)
        identity = _to_identity(settings)
        server = [*outward, artifacts, *identity, *_to_redis(settings), *_to_keycloak(settings)]
        _policy(self, settings, component="tracking-server", ingress=_to_server(settings), egress=server)
        backup = [_to_s3(settings, settings.backup.endpoint or settings.artifacts.endpoint)]
        dump = [*outward, *backup, *(identity if settings.backup.credentials != "keys" else [])]
        migration = dump if settings.dumps_before_migration else outward
        _policy(self, settings, component="migration", ingress=[], egress=migration)
        if settings.backup.target:
            _policy(self, settings, component="backup", ingress=[], egress=dump)
        _policy(self, settings, component="maintenance", ingress=[], egress=[*outward, artifacts, *identity])
        if settings.ends_access:
            lookup = [*outward, *_to_keycloak(settings)]
            _policy(self, settings, component="end-access", ingress=[], egress=lookup)
        if settings.ingress.cloudflared:
            tunnel = [*_dns(settings), *_to_edge(settings)]
            scrape = [_from_prometheus(settings, TUNNEL_METRICS_PORT)]
            _policy(self, settings, component="tunnel", ingress=scrape, egress=tunnel)


def _policy(
    scope: Construct,
    settings: Settings,
    *,
    component: Component,
    ingress: Sequence[k8s.NetworkPolicyIngressRule],
    egress: Sequence[k8s.NetworkPolicyEgressRule],
) -> None:
    k8s.KubeNetworkPolicy(
        scope,
        component,
        metadata=metadata(
            f"mlflow-{component}", namespace=settings.namespace, component=component, wave=WAVE_CONFIGURATION
        ),
        spec=k8s.NetworkPolicySpec(
            pod_selector=k8s.LabelSelector(match_labels=selector(component)),
            policy_types=["Ingress", "Egress"],
            # The API server keeps an empty list as absent, so that writing one is a difference for ever.
            ingress=list(ingress) or None,
            egress=list(egress),
        ),
    )


def _pods(namespace: str, pod_labels: Mapping[str, str] | None = None) -> k8s.NetworkPolicyPeer:
    name = {"kubernetes.io/metadata.name": namespace}
    return k8s.NetworkPolicyPeer(
        namespace_selector=k8s.LabelSelector(match_labels=name),
        pod_selector=k8s.LabelSelector(match_labels=dict(pod_labels)) if pod_labels else None,
    )


def _networks(cidrs: Sequence[str]) -> list[k8s.NetworkPolicyPeer]:
    return [k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr=cidr)) for cidr in cidrs]


def _public() -> list[k8s.NetworkPolicyPeer]:
    block = k8s.IpBlock(cidr="0.0.0.0/0", except_=list(PRIVATE_NETWORKS))
    return [k8s.NetworkPolicyPeer(ip_block=block)]


def _ports(*numbers: int, protocols: Sequence[str] = ("TCP",)) -> list[k8s.NetworkPolicyPort]:
    number = k8s.IntOrString.from_number
    return [k8s.NetworkPolicyPort(port=number(n), protocol=p) for n in dict.fromkeys(numbers) for p in protocols]


def _to_server(settings: Settings) -> list[k8s.NetworkPolicyIngressRule]:
    clients = [_pods(namespace) for namespace in settings.network.client_namespaces]
    sources = [*_ingress_controller(settings), *_networks(settings.network.ingress_cidrs), *clients]
    # No peers at all would mean every peer.
    requests = [k8s.NetworkPolicyIngressRule(from_=sources, ports=_ports(HTTP_PORT))] if sources else []
    return [
        *requests,
        _from_prometheus(settings, METRICS_PORT),
    ]


def _ingress_controller(settings: Settings) -> list[k8s.NetworkPolicyPeer]:
    """Pods of the ingress controller; none if requests come from elsewhere."""
    network, controller = settings.network, settings.ingress.served_by
    pod_labels = controller.pod_labels if network.ingress_pod_labels is None else network.ingress_pod_labels
    if network.ingress_namespace:
        return [_pods(network.ingress_namespace, pod_labels)]
    if controller.namespace_labels is None:
        return []
    return [
        k8s.NetworkPolicyPeer(
            namespace_selector=k8s.LabelSelector(match_labels=dict(controller.namespace_labels)),
            pod_selector=k8s.LabelSelector(match_labels=dict(pod_labels)) if pod_labels else None,
        )
    ]


def _ingress_port(settings: Settings) -> int:
    """Port of the ingress controller's container for TLS."""
    return settings.network.ingress_container_port or settings.ingress.served_by.tls_port


def _from_prometheus(settings: Settings, port: int) -> k8s.NetworkPolicyIngressRule:
    prometheus = _pods(settings.monitoring.namespace, settings.monitoring.pod_labels)
    return k8s.NetworkPolicyIngressRule(from_=[prometheus], ports=_ports(port))


def _dns(settings: Settings) -> list[k8s.NetworkPolicyEgressRule]:
    servers = _pods(settings.network.dns_namespace, settings.network.dns_pod_labels)
    return [k8s.NetworkPolicyEgressRule(to=[servers], ports=_ports(53, protocols=("UDP", "TCP")))]


def _to_database(settings: Settings) -> k8s.NetworkPolicyEgressRule:
    database = settings.database
    cluster = _pods(database.cluster_namespace, {"cnpg.io/cluster": database.cluster})
    peers = _networks(settings.network.database_cidrs) or [cluster]
    return k8s.NetworkPolicyEgressRule(to=peers, ports=_ports(database.port))


def _to_artifacts(settings: Settings) -> k8s.NetworkPolicyEgressRule:
    return _to_s3(settings, settings.artifacts.endpoint)


def _to_s3(settings: Settings, endpoint: str | None) -> k8s.NetworkPolicyEgressRule:
    """In the cluster a policy sees the port of MinIO's pod, which need not be the Service's."""
    url = urlsplit(endpoint or "https://s3.amazonaws.com")
    port = url.port or (443 if url.scheme == "https" else 80)
    namespace = _namespace_of(url.hostname or "")
    if namespace:
        return k8s.NetworkPolicyEgressRule(to=[_pods(namespace)], ports=_ports(port, 9000))
    return k8s.NetworkPolicyEgressRule(to=_networks(settings.network.artifact_cidrs) or _public(), ports=_ports(port))


def _to_identity(settings: Settings) -> list[k8s.NetworkPolicyEgressRule]:
    """Where AWS hands out keys for the pod's identity, beside the bucket's own networks.

    Source: Amazon EKS documentation, "EKS Pod Identities" (the agent's link-local addresses and its port 80).
    """
    artifacts = settings.artifacts
    if settings.uses_pod_identity:
        return [k8s.NetworkPolicyEgressRule(to=_networks([_POD_IDENTITY_AGENT]), ports=_ports(80))]
    needs_sts = artifacts.credentials == "service-account" and artifacts.is_aws and settings.network.artifact_cidrs
    return [k8s.NetworkPolicyEgressRule(to=_public(), ports=_ports(443))] if needs_sts else []


def _namespace_of(host: str) -> str | None:
    """Namespace of a Service's DNS name, or nothing for a host outside the cluster."""
    parts = host.split(".")
    return parts[1] if len(parts) >= 3 and parts[2] == "svc" else None


def _to_redis(settings: Settings) -> list[k8s.NetworkPolicyEgressRule]:
    redis = settings.authentication.redis
    if redis is None:
        return []
    namespace = _namespace_of(redis.host)
    inside = [_pods(namespace)] if namespace else _public()
    peers = _networks(settings.network.redis_cidrs) or inside
    return [k8s.NetworkPolicyEgressRule(to=peers, ports=_ports(redis.port))]


def _to_keycloak(settings: Settings) -> list[k8s.NetworkPolicyEgressRule]:
    """Keycloak by its public address, which the node may rewrite to Traefik's pods before the policy sees it."""
    port, controller = settings.authentication.keycloak_port, _ingress_controller(settings)
    outside = _networks(settings.network.keycloak_cidrs) or _public()
    rewritten = k8s.NetworkPolicyEgressRule(to=controller, ports=_ports(_ingress_port(settings), port))
    return [k8s.NetworkPolicyEgressRule(to=outside, ports=_ports(port)), *([rewritten] if controller else [])]


def _to_edge(settings: Settings) -> list[k8s.NetworkPolicyEgressRule]:
    controller = _ingress_controller(settings)
    edge = k8s.NetworkPolicyEgressRule(to=_public(), ports=_ports(_TUNNEL_PORT, protocols=("UDP", "TCP")))
    origin = k8s.NetworkPolicyEgressRule(to=controller, ports=_ports(_ingress_port(settings)))
    return [edge, *([origin] if controller else [])]
