"""Rules for the traffic of our pods to what is behind them, derived from the addresses that the settings name."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from cdk8s_plus_27 import k8s

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.network import PodPeerSettings
from cdk8s_mlflow.settings.reach import Address, Local, Service, cnpg_cluster, is_proxied, port_of, reach, short_service

EgressRules = list[k8s.NetworkPolicyEgressRule]

PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")
"""What "every public address" leaves out (RFC 1918, 3927, 6598)."""

PRIVATE_NETWORKS_IPV6 = ("fc00::/7", "fe80::/10")
"""The same of IPv6 (RFC 4193, 4291)."""

_GOOGLE = "https://storage.googleapis.com"

_OPENSHIFT_DNS = "openshift-dns"
_OPENSHIFT_DNS_LABELS = {"dns.operator.openshift.io/daemonset-dns": "default"}
"""Labels of OpenShift's DNS pods, whose containers listen on 5353 (source: openshift/cluster-dns-operator)."""

_MINIO_PORT = 9000
_ROOK_PORT = 8080
"""Port of the container of Rook's object gateway, whose Service has 80 (Rook documentation, "Object Storage")."""

_KEYCLOAK_PORT = 8443
"""Port of Keycloak's container for TLS, whatever its Service has."""


def pods_of(namespace: str, pod_labels: Mapping[str, str] | None = None) -> k8s.NetworkPolicyPeer:
    """Pods of a namespace, by labels or all of them."""
    name = {"kubernetes.io/metadata.name": namespace}
    return k8s.NetworkPolicyPeer(
        namespace_selector=k8s.LabelSelector(match_labels=name),
        pod_selector=k8s.LabelSelector(match_labels=dict(pod_labels)) if pod_labels else None,
    )


def networks(cidrs: Sequence[str]) -> list[k8s.NetworkPolicyPeer]:
    """Every address of these networks."""
    return [k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr=cidr)) for cidr in cidrs]


def public_addresses() -> list[k8s.NetworkPolicyPeer]:
    """Every public address of both families."""
    blocks = {"0.0.0.0/0": PRIVATE_NETWORKS, "::/0": PRIVATE_NETWORKS_IPV6}
    # Networks of the cluster are private, so that "the internet" opens no other pod.
    return [k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr=c, except_=list(e))) for c, e in blocks.items()]


def _any_address() -> list[k8s.NetworkPolicyPeer]:
    """Every address: a database with a public name mostly has a private address in the cloud's own network."""
    return networks(["0.0.0.0/0", "::/0"])


def ports_of(*numbers: int, protocols: Sequence[str] = ("TCP",)) -> list[k8s.NetworkPolicyPort]:
    """Each number once, with every protocol."""
    number = k8s.IntOrString.from_number
    # Each once: a Service and its container often have the same port, and a repeated one is a difference to no purpose.
    return [k8s.NetworkPolicyPort(port=number(n), protocol=p) for n in dict.fromkeys(numbers) for p in protocols]


def ingress_controller(settings: Settings) -> list[k8s.NetworkPolicyPeer]:
    """Pods of the ingress controller; none if requests come from elsewhere."""
    network, controller = settings.network, settings.ingress.served_by
    pod_labels = controller.pod_labels if network.ingress_pod_labels is None else network.ingress_pod_labels
    # Named by the settings, it wins over what the controller's own documentation says.
    if network.ingress_namespace:
        return [pods_of(network.ingress_namespace, pod_labels)]
    if controller.namespace_labels is None:
        return []
    return [
        k8s.NetworkPolicyPeer(
            namespace_selector=k8s.LabelSelector(match_labels=dict(controller.namespace_labels)),
            pod_selector=k8s.LabelSelector(match_labels=dict(pod_labels)) if pod_labels else None,
        )
    ]


def ingress_port(settings: Settings) -> int:
    """Port of the ingress controller's container for TLS."""
    return settings.network.ingress_container_port or settings.ingress.served_by.tls_port


def rule_to(peers: list[k8s.NetworkPolicyPeer], *numbers: int) -> k8s.NetworkPolicyEgressRule:
    return k8s.NetworkPolicyEgressRule(to=peers, ports=ports_of(*numbers))


def to_dns(settings: Settings) -> EgressRules:
    """The cluster's DNS: its pods, and servers on the nodes."""
    network, both = settings.network, ("UDP", "TCP")
    is_openshift = settings.ingress.controller == "openshift"
    namespace = network.dns_namespace or (_OPENSHIFT_DNS if is_openshift else "kube-system")
    own = (_OPENSHIFT_DNS_LABELS, (5353,)) if namespace == _OPENSHIFT_DNS else ({"k8s-app": "kube-dns"}, (53,))
    pod_labels = own[0] if network.dns_pod_labels is None else network.dns_pod_labels
    numbers = network.dns_ports or own[1]
    servers = k8s.NetworkPolicyEgressRule(to=[pods_of(namespace, pod_labels)], ports=ports_of(*numbers, protocols=both))
    nodes = k8s.NetworkPolicyEgressRule(to=networks(network.dns_cidrs), ports=ports_of(53, protocols=both))
    return [servers, *([nodes] if network.dns_cidrs else [])]


def to_database(settings: Settings) -> EgressRules:
    """PostgreSQL, or the pooler in front of it."""
    database, network = settings.database, settings.network
    where = reach(database.address, settings)
    # What an operator names wins over what the address tells.
    if network.database_cidrs:
        return [rule_to(networks(network.database_cidrs), database.port)]
    if network.database_pods:
        return [_to_pods(network.database_pods, where, database.port)]
    match where:
        case Local():
            return []
        case Service():
            return [rule_to(_cnpg_pods(settings, where), database.port)]
        case Address():
            return [rule_to(networks(where.cidrs), database.port)]
        case _:
            return [rule_to([*_any_address(), *_short(database.address)], database.port)]


def _cnpg_pods(settings: Settings, service: Service) -> list[k8s.NetworkPolicyPeer]:
    """Pods of CloudNativePG behind a Service: a Cluster's by its name, else a pooler's or those of our Cluster."""
    database, owner = settings.database, cnpg_cluster(service)
    if owner == database.cluster:
        return [pods_of(service.namespace, {"cnpg.io/cluster": owner})]
    # A Pooler may have any name, so its pods are told by the label that CloudNativePG gives them.
    pooler = pods_of(service.namespace, {"cnpg.io/poolerName": service.name})
    if owner:
        return [pods_of(service.namespace, {"cnpg.io/cluster": owner}), pooler]
    return [pods_of(database.cluster_namespace, {"cnpg.io/cluster": database.cluster}), pooler]


def _short(host: str) -> list[k8s.NetworkPolicyPeer]:
    """Pods of the Service that a name of two labels may mean, too."""
    service = short_service(host)
    return [pods_of(service.namespace)] if service else []


def _to_pods(pods: PodPeerSettings, where: object, port: int) -> k8s.NetworkPolicyEgressRule:
    namespace = pods.namespace or (where.namespace if isinstance(where, Service) else "")
    return rule_to([pods_of(namespace, pods.labels)], pods.port or port)


def to_artifacts(settings: Settings) -> EgressRules:
    """The S3 that holds artifacts."""
    network = settings.network
    endpoint = settings.artifacts.endpoint or (_GOOGLE if settings.artifacts.is_gcs else None)
    return _to_s3(settings, endpoint, network.artifact_cidrs, network.artifact_pods)


def to_backup(settings: Settings) -> EgressRules:
    """The S3 that holds dumps."""
    if not settings.has_own_backup_endpoint:
        return to_artifacts(settings)
    network = settings.network
    return _to_s3(settings, settings.backup.endpoint, network.backup_cidrs, network.backup_pods)


def _to_s3(settings: Settings, endpoint: str | None, cidrs: Sequence[str], pods: PodPeerSettings | None) -> EgressRules:
    """In the cluster a policy sees the port of the pod, which need not be the Service's."""
    url = endpoint or "https://s3.amazonaws.com"
    host, port = urlsplit(url).hostname or "", port_of(url)
    where = reach(host, settings)
    if cidrs:
        return [rule_to(networks(cidrs), port)]
    if pods:
        return [_to_pods(pods, where, port)]
    match where:
        case Service():
            # Both ports: the Service's, in case the container has the same, and the usual one of what is behind it.
            own = _ROOK_PORT if where.name.startswith("rook-ceph-rgw-") else _MINIO_PORT
            return [rule_to([pods_of(where.namespace)], port, own)]
        case Local():
            return []
        # Reached through the proxy, which has a rule of its own; plain http is never sent there.
        case _ if url.startswith("https:") and is_proxied(host, settings):
            return []
        case Address():
            return [rule_to(networks(where.cidrs), port)]
        case _:
            return [rule_to([*public_addresses(), *_short(host)], port)]


def to_redis(settings: Settings) -> EgressRules:
    """The Redis of sessions and caches, if there is one."""
    redis, network = settings.authentication.redis, settings.network
    if redis is None:
        return []
    where = reach(redis.host, settings)
    if network.redis_cidrs:
        return [rule_to(networks(network.redis_cidrs), redis.port)]
    if network.redis_pods:
        return [_to_pods(network.redis_pods, where, redis.port)]
    match where:
        case Local():
            return []
        case Service():
            return [rule_to([pods_of(where.namespace)], redis.port)]
        case Address():
            return [rule_to(networks(where.cidrs), redis.port)]
        case _:
            return [rule_to([*_any_address(), *_short(redis.host)], redis.port)]


def to_keycloak(settings: Settings) -> EgressRules:
    """Keycloak by its public address, which the node may rewrite to Traefik's pods before the policy sees it."""
    login, network, controller = settings.authentication, settings.network, ingress_controller(settings)
    host, port = login.keycloak_host, login.keycloak_port
    rewritten = [rule_to(controller, ingress_port(settings), port)] if controller else []
    where = reach(host, settings)
    if network.keycloak_cidrs:
        return [rule_to(networks(network.keycloak_cidrs), port), *rewritten]
    if network.keycloak_pods:
        return [_to_pods(network.keycloak_pods, where, port), *rewritten]
    match where:
        case Local():
            return rewritten
        case Service():
            return [rule_to([pods_of(where.namespace)], port, _KEYCLOAK_PORT), *rewritten]
        # The proxy connects, and resolves the name; no rewriting of its address happens here.
        case _ if is_proxied(host, settings):
            return []
        case Address():
            return [rule_to(networks(where.cidrs), port), *rewritten]
        case _:
            return [rule_to(public_addresses(), port), *rewritten]


def to_proxy(settings: Settings) -> EgressRules:
    """The forward proxy, if there is one."""
    proxy = settings.network.proxy
    if proxy is None:
        return []
    port, where = port_of(proxy.url), reach(urlsplit(proxy.url).hostname or "", settings)
    if proxy.cidrs:
        return [rule_to(networks(proxy.cidrs), port)]
    match where:
        case Service():
            return [rule_to([pods_of(where.namespace)], port)]
        case Address():
            return [rule_to(networks(where.cidrs), port)]
        case _:
            return []
