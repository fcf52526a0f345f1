"""Addresses of backing services that lead a pod to itself, so that nothing answers there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cdk8s_mlflow.settings.reach import Local, is_aliased, reach
from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings


def own_pod_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each; a sidecar does not help, since the jobs have none."""
    for key, address in backing_addresses(settings).items():
        host = host_of(address)
        # A cluster's DNS may answer for keycloak.localhost, as that of `make live` does.
        if not host or (host.endswith(".localhost") and not is_aliased(host, settings)):
            continue
        if isinstance(reach(host, settings), Local):
            what = "the Cluster's pod itself" if key.startswith("backup.cluster.") else "the pod itself"
            yield key, f"is {address}, which is {what}; name the address that leads there from the cluster"


def host_of(address: str) -> str:
    """The host of a URL, or a bare host."""
    return (urlsplit(address).hostname or "") if "://" in address else address


def backing_addresses(settings: EnvironmentSettings) -> dict[str, str]:
    """Dotted key and address of each service that pods connect to, as far as a setting names it."""
    redis, cluster = settings.authentication.redis, settings.backup.cluster
    return {
        "authentication.keycloak_host": settings.authentication.keycloak_host,
        "authentication.redis.host": redis.host if redis else "",
        "database.host": settings.database.host or "",
        "artifacts.endpoint": settings.artifacts.endpoint or "",
        "backup.endpoint": settings.backup.endpoint or "",
        "backup.cluster.endpoint": (cluster.endpoint if cluster else None) or "",
    }
