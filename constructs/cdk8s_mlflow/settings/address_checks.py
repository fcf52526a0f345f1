"""Addresses that are well formed and can never be reached or matched, each with its remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cdk8s_mlflow.settings.addresses import is_placeholder_host
from cdk8s_mlflow.settings.ip_addresses import ip_address
from cdk8s_mlflow.settings.section import Conflict, at_least

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings

_MOVING_TAG = re.compile(
    r"(.*[-_.])?(latest|newest|current|main|master|head|trunk|nightly|edge|stable|dev|develop)", re.IGNORECASE
)
_AWS_ENDPOINT = re.compile(r"(.+\.)?s3[.-](dualstack\.)?(?P<region>[a-z]{2,4}(-[a-z]+)+-\d)\.amazonaws\.com(\.cn)?")
"""Source: AWS General Reference, "Amazon S3 endpoints"."""
_PLACEHOLDER = re.compile(r"(.*\.)?example(\.(com|net|org))?")
_OUR_PATHS = (
    "/oidc",
    "/login",
    "/logout",
    "/callback",
    "/api",
    "/ajax-api",
    "/graphql",
    "/get-artifact",
    "/static-files",
)


def address_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each address that cannot work beside the others."""
    yield from _images(settings)
    yield from _repository(settings)
    yield from _keycloak(settings)
    yield from _s3(settings)
    yield from _database(settings)


def is_moving_tag(tag: str) -> bool:
    """Whether ``tag`` is one that publishers move, so that a node keeps what it once pulled."""
    return _MOVING_TAG.fullmatch(tag) is not None


def _images(settings: EnvironmentSettings) -> Iterator[Conflict]:
    image, tunnel = settings.image, settings.ingress.cloudflared
    remedy = "so that a new image would change no manifest and start no pod; name a version, or a digest"
    if image.tag and not image.digest and is_moving_tag(image.tag):
        yield "image.tag", f"is {image.tag}, which moves, {remedy}"
    # A digest does not move, whatever tag stands before it.
    if tunnel and "@" not in tunnel.image and is_moving_tag(tunnel.image.rpartition(":")[2]):
        yield "ingress.cloudflared.image", f"is {tunnel.image}, whose tag moves, {remedy}"


def _repository(settings: EnvironmentSettings) -> Iterator[Conflict]:
    delivery, host = settings.delivery, settings.ingress.host
    if delivery.repository.startswith("ssh://") and "flux" in delivery.tools and delivery.credentials_secret is None:
        yield (
            "delivery.credentials_secret",
            f"is required, since delivery.repository is {delivery.repository}: Flux needs the key and the known hosts "
            "of ssh; name the Secret with identity and known_hosts",
        )
    by_argocd = "argocd" in delivery.tools and delivery.repository.startswith("oci://")
    if by_argocd and not at_least(delivery.argocd_version, 3, 1):
        yield (
            "delivery.argocd_version",
            f"is {delivery.argocd_version}, but Argo CD reads oci:// from 3.1 on; use a newer one, or a Git repository",
        )
    repository = urlsplit(delivery.repository).hostname or ""
    if (
        delivery.tools
        # `init` and the examples leave both as placeholders; only one of them is a mistake.
        and not is_placeholder_host(host)
        and _PLACEHOLDER.fullmatch(repository)
    ):
        yield (
            "delivery.repository",
            f"is {delivery.repository}, a placeholder; name the repository that holds dist/, or set delivery.tools "
            "to []",
        )


def _keycloak(settings: EnvironmentSettings) -> Iterator[Conflict]:
    login, ingress = settings.authentication, settings.ingress
    if login.keycloak_port == 80:
        yield "authentication.keycloak_port", "is 80, the port of http, but its address is always https; name another"
    # Another port of the same host is another server.
    if login.keycloak_host not in ingress.hosts or login.keycloak_port != ingress.public_port:
        return
    if login.keycloak_host == ingress.host and not login.keycloak_path:
        yield (
            "authentication.keycloak_host",
            f"is {login.keycloak_host} too, which MLflow serves; name another host, or the path in "
            "authentication.keycloak_path",
        )
    elif any(login.keycloak_path == path or login.keycloak_path.startswith(f"{path}/") for path in _OUR_PATHS):
        yield (
            "authentication.keycloak_path",
            f"is {login.keycloak_path}, which MLflow serves on {login.keycloak_host}; choose another, such as /auth",
        )


def _s3(settings: EnvironmentSettings) -> Iterator[Conflict]:
    artifacts, dumps, domain = settings.artifacts, settings.backup, settings.network.cluster_domain
    # What else speaks to an endpoint has no region, or brings its own.
    region = artifacts.region if artifacts.kind == "s3" else None
    # A container stands in the path only, so that the account may be called as it is; Google's API knows no other.
    stores = [("artifacts", artifacts.endpoint, region, artifacts.bucket if artifacts.speaks_s3 else "")]
    for section, backup in (("backup", dumps), ("backup.cluster", dumps.cluster)):
        if backup:
            brings_its_own = backup is dumps.cluster and backup.credentials == "service-account"
            region = None if brings_its_own else backup.region or artifacts.region
            bucket = (backup.target or "").removeprefix("s3://").partition("/")[0]
            stores.append((section, backup.endpoint, region, bucket))
    for section, endpoint, region, bucket in stores:
        key, url = f"{section}.endpoint", urlsplit(endpoint or "")
        host = url.hostname or ""
        found = _AWS_ENDPOINT.fullmatch(host)
        if found and region and found["region"] != region:
            yield key, f"is {endpoint}, which is in {found['region']}, but the region is {region}; set {section}.region"
        # boto3 puts the bucket in front of the host, or into the path, by itself.
        if bucket and host.startswith(f"{bucket}.") and host.count(".") > 2 and ".svc" not in host:
            yield key, f"is {endpoint}, which names the bucket {bucket} too; remove that from the host"
        if url.scheme == "http" and not host.endswith((".svc", f".svc.{domain}")):
            yield key, f"is {endpoint}, which is not in the cluster (network.cluster_domain is {domain}); use https://"


def _database(settings: EnvironmentSettings) -> Iterator[Conflict]:
    database = settings.database
    # libpq compares the certificate's names only, unless they hold the address.
    if database.host and ip_address(database.host) is not None and database.sslmode == "verify-full":
        yield (
            "database.sslmode",
            f"is verify-full, which compares a name, but database.host is the address {database.host}; use verify-ca "
            f"{'with database.ca: store, ' if database.ca == 'system' else ''}or name the host",
        )
