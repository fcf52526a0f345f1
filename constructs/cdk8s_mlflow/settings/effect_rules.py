"""What counts only beside another setting, in one table for all sections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.reach import is_proxied

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings


@dataclass(frozen=True, slots=True)
class Rule:
    """Settings that count only while ``counts`` holds."""

    keys: tuple[str, ...]
    """Dotted; a section stands for all that is in it."""
    counts: Callable[[EnvironmentSettings], object]
    """Tells by its truth whether the keys have an effect."""
    without: str
    """Why not, and what to do, after "has no effect "."""
    even_default: bool = False
    """Whether the default is refused, too: said aloud it tells the reader of the file what is not so."""


def _below(section: str, names: str) -> tuple[str, ...]:
    return tuple(f"{section}.{name}" for name in names.split())


def _uses_cnpg(settings: EnvironmentSettings) -> bool:
    """Whether CloudNativePG has anything of ours."""
    database = settings.database
    is_managed = (database.role_management, database.database_management) != ("bootstrap", "bootstrap")
    return is_managed or settings.backup.cluster is not None


def _keeps_objects(settings: EnvironmentSettings) -> bool:
    """Whether objects are written with which data could be deleted."""
    database = settings.database
    return database.role_management == "database-role" or database.database_management == "cnpg"


def _is_keycloak_proxied(settings: EnvironmentSettings) -> bool:
    """Whether no pod connects to Keycloak itself."""
    network = settings.network
    named = network.keycloak_cidrs or network.keycloak_pods
    return not named and is_proxied(settings.authentication.keycloak_host, settings)


_POLICIES = "without network.policies; remove it, or set that to true"

RULES = (
    Rule(
        _below(
            "ingress",
            "class_name gateway entry_point tls_secret cluster_issuer issuer_kind middleware more_middlewares "
            "traefik_version hsts_seconds limits timeout_seconds body_mebibytes alb annotations",
        ),
        lambda settings: settings.ingress.enabled,
        "without ingress.enabled; remove it, or set that to true",
    ),
    Rule(
        ("ingress.entry_point_tls",),
        lambda settings: settings.ingress.enabled or (settings.ingress.cloudflared and settings.network.policies),
        "without ingress.enabled; remove it, or set that to true",
    ),
    Rule(
        ("ingress.controller",),
        lambda settings: settings.ingress.enabled or settings.network.policies,
        "without ingress.enabled and network.policies; remove it, or set one of them to true",
    ),
    Rule(
        ("ingress.traefik_version", "ingress.hsts_seconds", "ingress.limits"),
        lambda settings: settings.ingress.controller != "traefik" or settings.ingress.middleware,
        "without ingress.middleware; remove it, or set that to true",
    ),
    Rule(
        ("ingress.class_name", "ingress.entry_point", "ingress.entry_point_tls"),
        lambda settings: settings.ingress.gateway is None,
        "beside ingress.gateway, whose parents name Gateway and listeners; remove it",
        even_default=True,
    ),
    Rule(
        ("ingress.more_middlewares",),
        lambda settings: settings.ingress.gateway is None,
        "on an HTTPRoute, which refers within its own namespace only; let the Gateway's entry point name them, and "
        "remove it",
    ),
    Rule(
        ("ingress.limits.login_burst",),
        lambda settings: settings.ingress.limits.logins_per_second,
        "since ingress.limits.logins_per_second is 0, no limit; remove it",
        even_default=True,
    ),
    Rule(
        ("ingress.limits.forwarded_depth",),
        lambda settings: (
            settings.ingress.limits.requests_in_flight
            or settings.ingress.limits.logins_per_second
            or settings.ingress.limits.logins_in_flight
        ),
        "since each of ingress.limits is 0, no limit; remove it",
    ),
    Rule(
        ("ingress.issuer_kind",),
        lambda settings: settings.ingress.issuer,
        "without ingress.tls_secret and ingress.cluster_issuer; remove it, or set both",
    ),
    Rule(
        _below(
            "network",
            "ingress_namespace ingress_pod_labels ingress_container_port ingress_cidrs client_namespaces dns_namespace "
            "dns_pod_labels dns_ports dns_cidrs keycloak_cidrs keycloak_pods artifact_cidrs artifact_pods backup_cidrs "
            "backup_pods database_cidrs database_pods redis_cidrs redis_pods proxy.cidrs extra_egress extra_ingress",
        ),
        lambda settings: settings.network.policies,
        _POLICIES,
    ),
    # Only a policy lets Prometheus in, and only a policy binds the tunnel to its origin.
    Rule(
        ("monitoring.namespace", "monitoring.pod_labels", "ingress.cloudflared.origin"),
        lambda settings: settings.network.policies,
        _POLICIES,
    ),
    Rule(
        ("network.ingress_container_port",),
        lambda settings: settings.network.ingress_namespace or settings.ingress.served_by.namespace_labels is not None,
        "without network.ingress_namespace, since the pods of the controller are unknown; remove it, or set that",
    ),
    Rule(
        ("network.ingress_container_port",),
        lambda settings: settings.ingress.cloudflared or not _is_keycloak_proxied(settings),
        "since Keycloak is reached through network.proxy and there is no ingress.cloudflared; remove it",
    ),
    Rule(
        ("network.backup_cidrs", "network.backup_pods"),
        lambda settings: settings.has_own_backup_endpoint,
        "unless backup.target and backup.endpoint name another S3 than that of the artifacts; remove it, or set them",
    ),
    Rule(
        ("network.redis_cidrs", "network.redis_pods"),
        lambda settings: settings.authentication.redis,
        "without authentication.redis; remove it, or set that",
    ),
    Rule(
        ("monitoring.labels",),
        lambda settings: settings.monitoring.service_monitor or settings.monitoring.rules,
        "without monitoring.service_monitor and monitoring.rules; remove it, or set one of them to true",
    ),
    Rule(
        ("monitoring.interval", "monitoring.scrape_timeout"),
        lambda settings: settings.monitoring.service_monitor,
        "without monitoring.service_monitor; remove it, or set that to true",
    ),
    Rule(
        (
            *_below("monitoring", "alert_labels runbooks availability_percent latency_seconds"),
            "backup.cluster.maximum_age_hours",
        ),
        lambda settings: settings.monitoring.rules,
        "without monitoring.rules; remove it, or set that to true",
    ),
    Rule(
        ("monitoring.dashboard_labels",),
        lambda settings: settings.monitoring.dashboard,
        "without monitoring.dashboard; remove it, or set that to true",
    ),
    Rule(
        ("maintenance.retention_days", "maintenance.garbage_collection_schedule"),
        lambda settings: settings.maintenance.garbage_collection,
        "without maintenance.garbage_collection; remove it, or set that to true",
    ),
    Rule(
        ("maintenance.end_access_schedule",),
        lambda settings: settings.ends_access,
        "without maintenance.end_access and authentication.directory_client; remove it, or set both",
    ),
    Rule(
        _below(
            "secrets",
            "store_kind store external_secrets_version refresh_interval vault_address vault_mount vault_prefix "
            "vault_auth vault_auth_mount vault_role",
        ),
        lambda settings: settings.secrets.mode == "external-secrets",
        "with secrets.mode kubernetes; remove it",
    ),
    Rule(
        ("secrets.vault_role",),
        lambda settings: settings.secrets.vault_auth == "kubernetes",
        "unless secrets.vault_auth is kubernetes; remove it, or set that",
    ),
    Rule(
        ("secrets.vault_auth_mount",),
        lambda settings: settings.secrets.vault_auth != "token",
        "with secrets.vault_auth token; remove it, or name the auth method",
    ),
    Rule(
        _below("delivery", "repository revision path name"),
        lambda settings: settings.delivery.tools,
        "with delivery.tools []; remove it, or name the tool",
    ),
    Rule(
        _below(
            "delivery",
            "credentials_secret interval retry_interval timeout flux_version flux_namespace flux_service_account",
        ),
        lambda settings: "flux" in settings.delivery.tools,
        "unless flux is among delivery.tools; remove it, or add that",
    ),
    Rule(
        ("delivery.flux_version",),
        _uses_cnpg,
        "with bootstrap for role and databases, of whose objects Flux reads the health; remove it",
    ),
    Rule(
        _below("delivery", "argocd_version argocd_namespace argocd_project argocd_server retries"),
        lambda settings: "argocd" in settings.delivery.tools,
        "unless argocd is among delivery.tools; remove it, or add that",
    ),
    Rule(
        ("database.cluster", "database.cluster_namespace"),
        lambda settings: settings.database.host is None or _uses_cnpg(settings),
        "beside database.host, with bootstrap for role and databases; remove it, or let CloudNativePG make one of them",
    ),
    Rule(
        ("database.object_name", "database.cnpg_version"),
        _uses_cnpg,
        "with bootstrap for role and databases; remove it, or let CloudNativePG make one of them",
    ),
    Rule(
        ("database.reclaim_policy",),
        _keeps_objects,
        "without an object of the role or a database; remove it, or let CloudNativePG make one of them",
    ),
    Rule(
        ("artifacts.user", "artifacts.policy"),
        lambda settings: settings.artifacts.kind == "minio",
        "unless artifacts.kind is minio, whose user bootstrap.py creates; remove it",
    ),
    Rule(
        ("artifacts.kms_key",),
        lambda settings: settings.artifacts.encryption == "aws:kms",
        "without artifacts.encryption aws:kms; set that, or remove the key",
    ),
    Rule(
        _below(
            "backup",
            "endpoint region credentials schedule keep_days keep_at_least recipients before_migration maximum_seconds",
        ),
        lambda settings: settings.backup.target,
        "without backup.target; set that, or remove the key",
        even_default=True,
    ),
    Rule(
        _below("backup.cluster", "target endpoint region credentials keep_days"),
        lambda settings: settings.backup.cluster is None or settings.backup.cluster.method == "plugin",
        "with volume-snapshot; remove it",
        even_default=True,
    ),
    Rule(
        _below("backup.cluster", "endpoint region credentials keep_days"),
        lambda settings: settings.backup.cluster is None or settings.backup.cluster.target,
        "without backup.cluster.target; set that, or remove the key",
        even_default=True,
    ),
    Rule(
        ("backup.cluster.region",),
        lambda settings: settings.backup.cluster is None or settings.backup.cluster.credentials == "keys",
        "with credentials: service-account, which brings its own; remove it",
    ),
    Rule(
        ("server.max_surge", "server.max_unavailable"),
        lambda settings: settings.server.strategy == "RollingUpdate",
        "with server.strategy Recreate; remove it",
        even_default=True,
    ),
    Rule(
        ("server.service.source_ranges",),
        lambda settings: settings.server.service.type == "LoadBalancer",
        "unless server.service.type is LoadBalancer; remove it",
    ),
    Rule(
        ("server.service_account_annotations",),
        lambda settings: settings.server.service_account is None,
        "beside server.service_account, which is yours; annotate it there, and remove it here",
    ),
    Rule(
        ("bootstrap.s3_endpoint",),
        lambda settings: settings.artifacts.speaks_s3,
        "with an artifacts.kind that is no S3; remove it",
    ),
)
"""By switch. A setting of several rules needs each of them, and the first that does not hold is named."""
