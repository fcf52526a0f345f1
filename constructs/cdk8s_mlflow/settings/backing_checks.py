"""Addresses of backing services that lead to something other than what is needed there, each with its remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.ip_addresses import ip_address
from cdk8s_mlflow.settings.own_pod import backing_addresses, host_of
from cdk8s_mlflow.settings.reach import Address, Service, port_of, reach
from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings

_CLOUD_DATABASE = re.compile(
    r".+\.(rds\.amazonaws\.com(\.cn)?|postgres\.database\.azure\.com|sql\.goog|postgres\.database\.chinacloudapi\.cn"
    r"|neon\.tech|supabase\.(co|com)|aivencloud\.com)"
)
"""Names that clouds give their own PostgreSQL."""
_RDS = re.compile(r"(?!.*\.proxy-).+\.rds\.amazonaws\.com(\.cn)?")
"""Of RDS, whose authorities are Amazon's own; a proxy's certificate is of ACM (RDS, "Using TLS with RDS Proxy")."""

_READERS = re.compile(r".+-(ro|r|replicas?|repl|read|readonly|reader)")
"""Services of replicas by the names of CloudNativePG, Crunchy, Zalando and Bitnami."""
_AURORA_READER = re.compile(r".+\.cluster-ro-[^.]+\..+\.rds\.amazonaws\.com(\.cn)?")
_REDIS_READER = re.compile(r"(replica\..+|.+-ro\..+)\.cache\.amazonaws\.com(\.cn)?")
_AZURE_REDIS = re.compile(r".+\.redis\.cache\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)")
_SENTINEL = 26379


def backing_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each."""
    yield from _no_service(settings)
    yield from _readers(settings)
    yield from _managed(settings)
    yield from _authority(settings)
    yield from _redis(settings)
    yield from _console(settings)
    yield from _virtual(settings)


def _no_service(settings: EnvironmentSettings) -> Iterator[Conflict]:
    for key, address in backing_addresses(settings).items():
        host = host_of(address)
        name = host.rstrip(".").removesuffix(f".{settings.network.cluster_domain}")
        if re.fullmatch(r"[^.]+\.svc", name):
            yield key, f"is {host}, which lacks the namespace; write {name.removesuffix('.svc')}.NAMESPACE.svc"


def _reads_only(host: str, settings: EnvironmentSettings) -> bool:
    where = reach(host, settings)
    return isinstance(where, Service) and _READERS.fullmatch(where.name) is not None


def _readers(settings: EnvironmentSettings) -> Iterator[Conflict]:
    database, redis = settings.database, settings.authentication.redis
    host = database.host or ""
    if host and (_reads_only(host, settings) or _AURORA_READER.fullmatch(host)):
        yield "database.host", f"is {host}, which leads to replicas, and they take no writes; name the writer"
    if redis and (_reads_only(redis.host, settings) or _REDIS_READER.fullmatch(redis.host)):
        yield (
            "authentication.redis.host",
            f"is {redis.host}, which leads to replicas, and they take no writes; name the primary",
        )


def _managed(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """CloudNativePG makes role and databases in its Cluster, so that is where MLflow has to log in."""
    database = settings.database
    managers = {
        "database.role_management": database.role_management,
        "database.database_management": database.database_management,
    }
    managed = [key for key, manager in managers.items() if manager != "bootstrap"]
    if database.host is None or not managed:
        return
    where, cluster = reach(database.host, settings), f"Cluster {database.cluster} in {database.cluster_namespace}"
    remedy = f"set {' and '.join(managed)} to bootstrap"
    if isinstance(where, Address) or _CLOUD_DATABASE.fullmatch(database.host):
        yield (
            "database.host",
            f"is {database.host}, but CloudNativePG makes the role or the databases in {cluster}; {remedy}, or leave "
            "the host out",
        )
    # A Pooler, whatever its name is, stands in the namespace of its Cluster.
    elif isinstance(where, Service) and where.namespace != database.cluster_namespace:
        yield (
            "database.host",
            f"is {database.host}, in {where.namespace}, but CloudNativePG makes the role or the databases in "
            f"{cluster}; name a Service there, correct database.cluster_namespace, or {remedy}",
        )


def _authority(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Sources: PostgreSQL, "SSL Support" of libpq, ``sslrootcert=system``; Amazon RDS, "Using SSL/TLS"."""
    database = settings.database
    if database.ca != "system":
        return
    if database.sslmode == "verify-ca":
        yield (
            "database.ca",
            "is system, with which libpq takes only sslmode verify-full; use that and a name as database.host, or ca: "
            "store",
        )
    elif not database.verifies_certificate:
        yield "database.ca", f"has no effect with database.sslmode {database.sslmode}, which looks at none; remove it"
    # Authorities of the bundle are public ones to libpq.
    elif settings.server.ca_bundle is None and isinstance(reach(database.address, settings), Service):
        yield (
            "database.ca",
            f"is system, but no public authority vouches for {database.address}, a name of the cluster; use store",
        )
    elif settings.server.ca_bundle is None and _RDS.fullmatch(database.address):
        yield (
            "database.ca",
            f"is system, but Amazon's own authorities vouch for {database.address}; use store, with the bundle of its "
            "region (truststore.pki.rds.amazonaws.com) as ca_crt",
        )


def _redis(settings: EnvironmentSettings) -> Iterator[Conflict]:
    redis = settings.authentication.redis
    if redis is None:
        return
    if redis.port == _SENTINEL:
        yield "authentication.redis.port", f"is {_SENTINEL}, a Sentinel's, which keeps no data; name that of the Redis"
    if _AZURE_REDIS.fullmatch(redis.host) and redis.port == 6380 and not redis.tls:
        yield "authentication.redis.tls", "is false, but port 6380 of Azure's Redis has TLS only; set it to true"


def _console(settings: EnvironmentSettings) -> Iterator[Conflict]:
    endpoint = settings.artifacts.endpoint or ""
    where = reach(host_of(endpoint), settings) if endpoint else None
    of_console = isinstance(where, Service) and where.name.endswith("-console")
    if of_console or (settings.artifacts.kind == "minio" and endpoint and port_of(endpoint) == 9001):
        yield (
            "artifacts.endpoint",
            f"is {endpoint}, MinIO's console, which is a page; name the API, mostly at port 9000",
        )


def _virtual(settings: EnvironmentSettings) -> Iterator[Conflict]:
    artifacts = settings.artifacts
    host = host_of(artifacts.endpoint or "")
    if artifacts.addressing != "virtual" or not host:
        return
    # DNS of the cluster answers for a Service's own name, and for no name in front of it.
    if ip_address(host) is not None or isinstance(reach(host, settings), Service):
        yield (
            "artifacts.addressing",
            f"is virtual, but nothing resolves {artifacts.bucket}.{host}; use path",
        )
