"""Addresses from which no NetworkPolicy can be derived, and rules that the API server would refuse."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cdk8s_mlflow.settings.reach import (
    Local,
    Private,
    Public,
    Service,
    cnpg_cluster,
    is_proxied,
    port_of,
    reach,
)
from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings
    from cdk8s_mlflow.settings.network import TrafficSettings

_OR = "or set network.policies to false"


def network_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each rule that cannot be derived or cannot work."""
    yield from _traffic(settings)
    yield from _proxy(settings)
    if settings.network.policies:
        yield from _database(settings)
        yield from _s3(settings)
        yield from _redis(settings)
        yield from _keycloak(settings)
        yield from _pods_without_service(settings)


def _private(key: str, setting: str, address: str) -> Conflict:
    return (
        f"network.{key}_cidrs",
        f"is required, since {setting} is {address}, a private name whose addresses are unknown; name its networks "
        f"(for pods of this cluster: network.{key}_pods), {_OR}",
    )


def _database(settings: EnvironmentSettings) -> Iterator[Conflict]:
    database, network = settings.database, settings.network
    where = reach(database.address, settings)
    if network.database_cidrs or network.database_pods:
        return
    if isinstance(where, Private):
        yield _private("database", "database.host", database.address)
    elif isinstance(where, Service) and cnpg_cluster(where) is None and database.role_management == "bootstrap":
        yield (
            "network.database_pods",
            f"is required, since database.host is {database.address}, a Service whose pods are unknown; give their "
            f"labels and, if it is another than {database.port}, their port, {_OR}",
        )


def _s3(settings: EnvironmentSettings) -> Iterator[Conflict]:
    artifacts, backup, network = settings.artifacts, settings.backup, settings.network
    places = [("artifact", "artifacts.endpoint", artifacts.endpoint, network.artifact_cidrs, network.artifact_pods)]
    if settings.has_own_backup_endpoint:
        places.append(("backup", "backup.endpoint", backup.endpoint, network.backup_cidrs, network.backup_pods))
    for key, setting, endpoint, cidrs, pods in places:
        if endpoint is None or cidrs or pods:
            continue
        host = urlsplit(endpoint).hostname or ""
        where = reach(host, settings)
        if isinstance(where, Private) and not is_proxied(host, settings):
            yield _private(key, setting, endpoint)
        elif isinstance(where, Service) and not _knows_port(settings, where, port_of(endpoint)):
            yield (
                f"network.{key}_pods",
                f"is required, since {setting} is {endpoint}, a Service whose pods hardly listen on "
                f"{port_of(endpoint)}; give the port of their container, {_OR}",
            )


def _knows_port(settings: EnvironmentSettings, service: Service, port: int) -> bool:
    # 80 and 443 are ports of Services; containers that run without root listen above 1023.
    return settings.artifacts.kind == "minio" or service.name.startswith("rook-ceph-rgw-") or port >= 1024


def _redis(settings: EnvironmentSettings) -> Iterator[Conflict]:
    redis, network = settings.authentication.redis, settings.network
    if redis is None or network.redis_cidrs or network.redis_pods:
        return
    if isinstance(reach(redis.host, settings), Private):
        yield _private("redis", "authentication.redis.host", redis.host)


def _keycloak(settings: EnvironmentSettings) -> Iterator[Conflict]:
    host, network = settings.authentication.keycloak_host, settings.network
    if network.keycloak_cidrs or network.keycloak_pods or is_proxied(host, settings):
        return
    if isinstance(reach(host, settings), Private):
        yield _private("keycloak", "authentication.keycloak_host", host)


def _pods_without_service(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Pods need a namespace: their own setting's, or the address's."""
    network, redis = settings.network, settings.authentication.redis
    hosts = {
        "keycloak": settings.authentication.keycloak_host,
        "artifact": urlsplit(settings.artifacts.endpoint or "").hostname or "",
        "backup": urlsplit(settings.backup.endpoint or "").hostname or "",
        "database": settings.database.address,
        "redis": redis.host if redis else "",
    }
    for key, host in hosts.items():
        pods = getattr(network, f"{key}_pods")
        if pods is None:
            continue
        if getattr(network, f"{key}_cidrs"):
            yield f"network.{key}_pods", f"has no effect beside network.{key}_cidrs; remove one"
        elif pods.namespace is None and not (host and isinstance(reach(host, settings), Service)):
            yield f"network.{key}_pods", "needs a namespace, since the address names no Service; add it"


def _proxy(settings: EnvironmentSettings) -> Iterator[Conflict]:
    network = settings.network
    if network.proxy is None:
        return
    parts = urlsplit(network.proxy.url)
    if parts.path.strip("/"):
        yield "network.proxy.url", f"is {network.proxy.url}, but a proxy has no path; remove it"
    where = reach(parts.hostname or "", settings)
    if isinstance(where, Local):
        yield "network.proxy.url", f"is {network.proxy.url}, which is the pod itself; name the proxy"
    elif isinstance(where, Private | Public) and network.policies and not network.proxy.cidrs:
        yield (
            "network.proxy.cidrs",
            f"is required, since {parts.hostname} is a name with unknown addresses; name the proxy's networks, {_OR}",
        )


def _traffic(settings: EnvironmentSettings) -> Iterator[Conflict]:
    network = settings.network
    for key, rules in (("extra_egress", network.extra_egress), ("extra_ingress", network.extra_ingress)):
        for number, rule in enumerate(rules):
            for message in _rule(rule):
                yield f"network.{key}[{number}]", message


def _rule(rule: TrafficSettings) -> Iterator[str]:
    if not rule.cidrs and not rule.namespace:
        yield "names no peer, which would mean every address; set cidrs or namespace"
    if rule.pod_labels and not rule.namespace:
        yield "has pod_labels, which need the namespace of the pods; add it"
    blocks = [ipaddress.ip_network(cidr) for cidr in rule.cidrs]
    for cidr in rule.except_cidrs:
        inner = ipaddress.ip_network(cidr)
        if not any(is_within(inner, block) for block in blocks):
            yield f"leaves out {cidr}, which is within none of its cidrs; remove it"
    for port in rule.ports:
        if port.end_port is not None and port.end_port < port.port:
            yield f"has the range {port.port} to {port.end_port}, whose end is before its start; swap them"


def is_within(inner: ipaddress.IPv4Network | ipaddress.IPv6Network, outer: object) -> bool:
    """Whether ``inner`` is a part of ``outer`` and not all of it, which the API server refuses."""
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner != outer and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner != outer and inner.subnet_of(outer)
