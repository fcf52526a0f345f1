"""Which server an address means, whatever way it is written: what two environments are compared by."""

import ipaddress
import re
from urllib.parse import urlsplit

from cdk8s_mlflow.settings.backup import ClusterBackupSettings
from cdk8s_mlflow.settings.environment import EnvironmentSettings

Places = frozenset[str]
"""Names of one server; two addresses mean the same server if they have one in common."""

_AWS = re.compile(r"(.+\.)?s3([.-].+)?\.amazonaws\.com")
_AWS_CHINA = re.compile(r"(.+\.)?s3([.-].+)?\.amazonaws\.com\.cn")
_GOOGLE = "Google Cloud Storage"
_PORT = re.compile(r":[0-9]+$")
_CNPG_SERVICE = re.compile(r"(?P<cluster>.+)-(rw|ro|r)")


def postgres(settings: EnvironmentSettings) -> Places:
    """The CloudNativePG Cluster and the address of the databases."""
    database = settings.database
    by_objects = database.role_management != "bootstrap" or database.database_management == "cnpg"
    cluster = {_cnpg(database.cluster, database.cluster_namespace, settings)} if by_objects else set()
    own, port = settings.bootstrap.postgres_host, settings.bootstrap.postgres_port or database.port
    administered = _distant(_host(own, port, settings)) if own and not own.startswith("/") else frozenset()
    return _host(database.address, database.port, settings) | cluster | administered


def object_store(settings: EnvironmentSettings) -> Places:
    """The S3 API; all regions of a partition of AWS are one, since they share the names of buckets."""
    artifacts, administered = settings.artifacts, settings.bootstrap.s3_endpoint
    if artifacts.is_gcs and artifacts.endpoint is None:
        return frozenset({_GOOGLE})
    public = s3(artifacts.endpoint, artifacts.region, settings)
    # AWS is one place for all; the address that bootstrap uses adds nothing.
    if not artifacts.endpoint or public == s3(None, artifacts.region, settings):
        return public
    return public | (_distant(url(administered, settings)) if administered else frozenset())


def dumps(settings: EnvironmentSettings) -> Places:
    """The S3 API that holds dumps."""
    backup = settings.backup
    if backup.endpoint is None:
        return object_store(settings)
    return s3(backup.endpoint, backup.region or settings.artifacts.region, settings)


def cluster_backups(settings: EnvironmentSettings, backup: ClusterBackupSettings) -> Places:
    """The S3 API that holds the Cluster's backups."""
    return s3(backup.endpoint, backup.region or settings.artifacts.region, settings)


def s3(endpoint: str | None, region: str, settings: EnvironmentSettings) -> Places:
    """The S3 API at ``endpoint``, None for AWS."""
    if endpoint is None:
        return frozenset({_aws(china=region.startswith("cn-"))})
    host = (urlsplit(endpoint).hostname or "").rstrip(".")
    # Private ones too, which lead to the same buckets.
    if f".{host}".endswith(".googleapis.com"):
        return frozenset({_GOOGLE})
    if _AWS.fullmatch(host) or _AWS_CHINA.fullmatch(host):
        return frozenset({_aws(china=host.endswith(".cn"))})
    return url(endpoint, settings)


def keycloak(settings: EnvironmentSettings) -> Places:
    """Keycloak's public host; port and path do not count, since one Keycloak may answer on several."""
    login, administered = settings.authentication, settings.bootstrap.keycloak_url
    public = _host(login.keycloak_host, login.keycloak_port, settings)
    places = public | (_distant(url(administered, settings)) if administered else frozenset())
    return frozenset(place if place.startswith("localhost:") else _PORT.sub("", place) for place in places)


def redis(settings: EnvironmentSettings) -> Places:
    """The Redis of sessions and caches; empty without one."""
    server = settings.authentication.redis
    return _host(server.host, server.port, settings) if server else frozenset()


def url(address: str, settings: EnvironmentSettings) -> Places:
    """The server behind a URL; http and https on their own ports are one server."""
    try:
        parts = urlsplit(address)
        port = parts.port or 443
    except ValueError:
        return frozenset({address})
    return _host(parts.hostname or "", 443 if port == 80 else port, settings)


def _distant(places: Places) -> Places:
    """``places`` unless they are forwarded local ports, which may lead anywhere: where bootstrap.py writes."""
    return frozenset(place for place in places if not place.startswith("localhost:"))


def _aws(*, china: bool) -> str:
    return "AWS in China" if china else "AWS"


def _host(host: str, port: int, settings: EnvironmentSettings) -> Places:
    """The names of ``host``: public ones mean the same everywhere, others only in their cluster.

    A name of two labels may be a Service and its namespace, or a public name, so it has both meanings. Services are
    compared without their port: those of one Service belong to one program.
    """
    name = host.lower().rstrip(".")
    address = _address(name)
    if name == "localhost" or name.endswith(".localhost") or (address and address.is_loopback):
        return frozenset({f"localhost:{port} in cluster {settings.cluster}"})
    if address:
        return frozenset({f"{address}:{port}"})
    service = _service(name, settings)
    inside = {f"Service {service[1]}/{service[0]} in cluster {settings.cluster}"} if service else set()
    cnpg = _CNPG_SERVICE.fullmatch(service[0]) if service else None
    if service and cnpg:
        inside.add(_cnpg(cnpg["cluster"], service[1], settings))
    public = {f"{name}:{port}"} if service is None or name.count(".") == 1 else set()
    return frozenset(inside | public)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _service(host: str, settings: EnvironmentSettings) -> tuple[str, str] | None:
    """Name and namespace of the Service that ``host`` may mean in the cluster; None for a public name."""
    labels = host.split(".")
    for domain in ("", settings.network.cluster_domain, "cluster.local"):
        suffix = ["svc", *domain.split(".")] if domain else ["svc"]
        if len(labels) >= 2 + len(suffix) and labels[-len(suffix) :] == suffix:
            return labels[-len(suffix) - 2], labels[-len(suffix) - 1]
    if len(labels) > 2:
        return None
    return labels[0], labels[1] if len(labels) == 2 else settings.namespace


def _cnpg(cluster: str, namespace: str, settings: EnvironmentSettings) -> str:
    return f"Cluster {namespace}/{cluster} in cluster {settings.cluster}"
