"""Allowed traffic to and from our pods; every policy selects only our own pods."""

from collections.abc import Sequence
from ipaddress import ip_network

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow.cloud_identity import to_backup_identity, to_identity
from cdk8s_mlflow.contract import HTTP_PORT, METRICS_PORT
from cdk8s_mlflow.metadata import WAVE_CONFIGURATION, Component, metadata, selector
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.network import TrafficSettings
from cdk8s_mlflow.settings.network_checks import is_within
from cdk8s_mlflow.traffic import (
    EgressRules,
    ingress_controller,
    ingress_port,
    networks,
    pods_of,
    ports_of,
    public_addresses,
    to_artifacts,
    to_backup,
    to_database,
    to_dns,
    to_keycloak,
    to_proxy,
    to_redis,
)
from cdk8s_mlflow.tunnel import METRICS_PORT as TUNNEL_METRICS_PORT

IngressRules = list[k8s.NetworkPolicyIngressRule]

_TUNNEL_PORT = 7844
"""Port of Cloudflare's edge, over QUIC and TCP."""

_WEB_PORT = 8000
"""Port of Traefik's container without TLS (Traefik's Helm chart, ``ports.web.port``)."""


class NetworkPolicies(Construct):
    """One policy for the server, one for each kind of job, one for the tunnel."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        for component, (ingress, egress) in _allowed(settings).items():
            _policy(self, settings, component=component, ingress=ingress, egress=egress)


def _allowed(settings: Settings) -> dict[Component, tuple[IngressRules, EgressRules]]:
    """Traffic in and out of each kind of pod that the environment has."""
    # Every program of ours opens the database, and by name.
    outward = [*to_dns(settings), *to_database(settings)]
    outside = to_proxy(settings)
    artifacts = [*to_artifacts(settings), *to_identity(settings), *outside]
    dump = [*outward, *to_backup(settings), *to_backup_identity(settings), *outside]
    keycloak = [*to_keycloak(settings), *outside]
    allowed: dict[Component, tuple[IngressRules, EgressRules]] = {
        # Artifacts and Keycloak may both be behind the forward proxy, whose rule would stand there twice.
        "tracking-server": (_to_server(settings), _unique([*outward, *artifacts, *to_redis(settings), *keycloak])),
        # A migration opens the databases only; the dump in its init container writes to S3 as well.
        "migration": ([], dump if settings.dumps_before_migration else outward),
    }
    if settings.maintenance.garbage_collection or settings.tested_release.needs_session_pruning:
        allowed["maintenance"] = ([], [*outward, *artifacts])
    if settings.backup.target:
        allowed["backup"] = ([], dump)
    if settings.ends_access:
        allowed["end-access"] = ([], [*outward, *keycloak])
    if settings.ingress.cloudflared:
        # cloudflared calls Cloudflare's edge; only Prometheus calls it.
        scrape = _from_prometheus(settings, TUNNEL_METRICS_PORT)
        allowed["tunnel"] = ([scrape], [*to_dns(settings), *_to_edge(settings)])
    return {component: _with_extra(settings, component, *rules) for component, rules in allowed.items()}


def _unique(rules: EgressRules) -> EgressRules:
    """``rules``, the proxy's once."""
    # By identity, since jsii's objects do not compare by content.
    return list({id(rule): rule for rule in rules}.values())


def _with_extra(
    settings: Settings, component: Component, ingress: IngressRules, egress: EgressRules
) -> tuple[IngressRules, EgressRules]:
    network = settings.network
    further_in = [
        k8s.NetworkPolicyIngressRule(from_=_peers(rule), ports=_extra_ports(rule))
        for rule in network.extra_ingress
        if component in rule.pods
    ]
    further_out = [
        k8s.NetworkPolicyEgressRule(to=_peers(rule), ports=_extra_ports(rule))
        for rule in network.extra_egress
        if component in rule.pods
    ]
    return [*ingress, *further_in], [*egress, *further_out]


def _peers(rule: TrafficSettings) -> list[k8s.NetworkPolicyPeer]:
    blocks = [_block(cidr, rule.except_cidrs) for cidr in rule.cidrs]
    return [*blocks, *([pods_of(rule.namespace, rule.pod_labels)] if rule.namespace else [])]


def _block(cidr: str, excepted: Sequence[str]) -> k8s.NetworkPolicyPeer:
    """A network without those of ``excepted`` that lie in it; the API server refuses others."""
    network = ip_network(cidr)
    # "except" of settings holds for all networks of a rule, of both families.
    # Exceptions of the settings hold for all networks of a rule, also those of the other family.
    inside = [inner for inner in excepted if is_within(ip_network(inner), network)]
    return k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr=cidr, except_=inside or None))


def _extra_ports(rule: TrafficSettings) -> list[k8s.NetworkPolicyPort]:
    return [
        k8s.NetworkPolicyPort(
            port=k8s.IntOrString.from_number(given.port), end_port=given.end_port, protocol=given.protocol
        )
        for given in rule.ports
    ]


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
            f"{settings.name}-{component}", namespace=settings.namespace, component=component, wave=WAVE_CONFIGURATION
        ),
        spec=k8s.NetworkPolicySpec(
            # An empty selector would also stop other people's pods of the namespace, such as a certificate solver.
            pod_selector=k8s.LabelSelector(match_labels=selector(component, settings.name)),
            # Both are named: without egress rules, Egress would not be inferred and all traffic out be allowed.
            policy_types=["Ingress", "Egress"],
            # The API server keeps an empty list as absent, so that writing one is a difference for ever.
            ingress=list(ingress) or None,
            egress=list(egress),
        ),
    )


def _to_server(settings: Settings) -> list[k8s.NetworkPolicyIngressRule]:
    clients = [pods_of(namespace) for namespace in settings.network.client_namespaces]
    sources = [*ingress_controller(settings), *networks(settings.network.ingress_cidrs), *clients]
    # No peers at all would mean every peer.
    requests = [k8s.NetworkPolicyIngressRule(from_=sources, ports=ports_of(HTTP_PORT))] if sources else []
    return [
        *requests,
        _from_prometheus(settings, METRICS_PORT),
    ]


def _from_prometheus(settings: Settings, port: int) -> k8s.NetworkPolicyIngressRule:
    prometheus = pods_of(settings.monitoring.namespace, settings.monitoring.pod_labels)
    return k8s.NetworkPolicyIngressRule(from_=[prometheus], ports=ports_of(port))


def _to_edge(settings: Settings) -> list[k8s.NetworkPolicyEgressRule]:
    controller = ingress_controller(settings)
    # cloudflared falls back to TCP if a network drops QUIC's UDP.
    edge = k8s.NetworkPolicyEgressRule(to=public_addresses(), ports=ports_of(_TUNNEL_PORT, protocols=("UDP", "TCP")))
    plain = [] if settings.ingress.entry_point_tls else [_WEB_PORT]
    origin = k8s.NetworkPolicyEgressRule(to=controller, ports=ports_of(*plain, ingress_port(settings)))
    return [edge, *([origin] if controller else [])]
