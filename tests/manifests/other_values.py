"""For each setting a value that is valid and not the default, as a team would give it."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.section import Section

NETWORKS = ("203.0.113.0/25",)
PODS = {"namespace": "other", "labels": {"a": "b"}}
TRAFFIC = ({"cidrs": ("203.0.113.0/24",), "ports": ({"port": 1},)},)
LABELS = {"team": "ml"}

SECTIONS: dict[str, dict[str, Any]] = {
    "authentication.redis": {"host": "redis.redis.svc"},
    "backup.cluster": {},
    "ingress.cloudflared": {},
    "ingress.gateway": {"parents": ({"name": "traefik"},)},
    "network.proxy": {"url": "http://10.0.0.3:3128"},
    "server.autoscaling": {},
    "server.ca_bundle": {"name": "authority"},
}
"""Sections that are not there by default, as small as they can be."""

OTHERS: dict[str, Any] = {
    "artifacts.allowed_locations": ("s3://elsewhere/a",),
    "artifacts.bucket": "other",
    "artifacts.endpoint": "https://s3.example.net",
    "artifacts.kms_key": "alias/other",
    "artifacts.policy": "other",
    "artifacts.prefix": "team/other",
    "artifacts.region": "eu-west-3",
    "artifacts.user": "other",
    "authentication.admin_group": "other-admins",
    "authentication.client_id": "other",
    "authentication.directory_client": "other-directory",
    "authentication.groups_claim": "roles",
    "authentication.groups_scope": "other-groups",
    "authentication.keycloak_host": "other.example.com",
    "authentication.keycloak_path": "/auth",
    "authentication.machine_client": "other-machines",
    "authentication.provider_name": "Other",
    "authentication.realm": "other",
    "authentication.user_group": "other-users",
    "authentication.redis.host": "other.redis.svc",
    "authentication.redis.username": "other",
    "backup.endpoint": "https://s3.example.net",
    "backup.recipients": (f"age1{'q' * 58}",),
    "backup.region": "eu-west-3",
    "backup.schedule": "1 1 * * *",
    "backup.target": "s3://other/a",
    "backup.cluster.endpoint": "https://s3.example.net",
    "backup.cluster.region": "eu-west-3",
    "backup.cluster.schedule": "1 1 * * *",
    "backup.cluster.target": "s3://other/b",
    "bootstrap.keycloak_url": "https://other.example.net",
    "bootstrap.kube_context": "other",
    "bootstrap.postgres_database": "other",
    "bootstrap.postgres_host": "other.example.net",
    "bootstrap.s3_endpoint": "https://other.example.net",
    "cluster": "other",
    "database.auth_name": "other",
    "database.client_certificate": "other",
    "database.cluster": "other",
    "database.cluster_namespace": "other",
    "database.cnpg_version": "1.24",
    "database.host": "db.example.net",
    "database.max_connections": 10,
    "database.name": "other",
    "database.object_name": "other",
    "database.role": "other",
    "delivery.argocd_namespace": "other",
    "delivery.argocd_project": "other",
    "delivery.argocd_server": "https://kubernetes.example.net",
    "delivery.argocd_version": "3.1",
    "delivery.credentials_secret": "other",
    "delivery.flux_namespace": "other",
    "delivery.flux_service_account": "other",
    "delivery.flux_version": "2.4",
    "delivery.interval": "20m",
    "delivery.name": "other",
    "delivery.path": "other",
    "delivery.repository": "https://git.example.net/other.git",
    "delivery.retry_interval": "3m",
    "delivery.revision": "other",
    "delivery.timeout": "30m",
    "delivery.tools": ("argocd",),
    "image.digest": f"sha256:{'1' * 64}",
    "image.pull_secrets": ("other",),
    "image.registry": "other.example.net",
    "image.repository": "other/mlflow",
    "image.tag": "other",
    "ingress.alb.certificate_arn": "arn:aws:acm:eu-west-1:1:certificate/a",
    "ingress.alb.group": "other",
    "ingress.annotations": {"example.com/a": "b"},
    "ingress.class_name": "other",
    "ingress.cluster_issuer": "other",
    "ingress.cloudflared.image": f"other.example.net/cloudflared@sha256:{'1' * 64}",
    "ingress.cloudflared.origin": "traefik.other.svc.cluster.local",
    "ingress.entry_point": "other",
    "ingress.gateway.parents": ({"name": "traefik-other"},),
    "ingress.gateway.request_timeout": "30m",
    "ingress.host": "other.example.com",
    "ingress.more_hosts": ("more.example.com",),
    "ingress.limits.forwarded_depth": 2,
    "ingress.limits.login_burst": 200,
    "ingress.more_middlewares": ("other@file",),
    "ingress.tls_secret": "other",
    "ingress.traefik_version": "2.10",
    "instance": "mlflow-other",
    "labels": LABELS,
    "maintenance.end_access_schedule": "1 * * * *",
    "maintenance.garbage_collection_schedule": "1 1 * * *",
    "maintenance.session_pruning_schedule": "1 1 * * *",
    "name": "mlflow-b",
    "namespace": "other",
    "monitoring.alert_labels": LABELS,
    "monitoring.dashboard_labels": LABELS,
    "monitoring.interval": "45s",
    "monitoring.labels": LABELS,
    "monitoring.namespace": "other",
    "monitoring.pod_labels": LABELS,
    "monitoring.runbooks": "https://runbooks.example.net",
    "monitoring.scrape_timeout": "5s",
    "network.client_namespaces": ("other",),
    "network.cluster_domain": "other.example.com",
    "network.dns_namespace": "other",
    "network.dns_pod_labels": LABELS,
    "network.dns_ports": (1053,),
    "network.extra_egress": TRAFFIC,
    "network.extra_ingress": TRAFFIC,
    "network.ingress_namespace": "other",
    "network.ingress_pod_labels": LABELS,
    **dict.fromkeys(
        [f"network.{name}_cidrs" for name in ("artifact", "backup", "database", "dns", "ingress", "keycloak", "redis")],
        NETWORKS,
    ),
    **dict.fromkeys([f"network.{name}_pods" for name in ("artifact", "backup", "database", "keycloak", "redis")], PODS),
    "network.proxy.cidrs": NETWORKS,
    "network.proxy.no_proxy": ("other.example.net",),
    "network.proxy.url": "http://10.0.0.4:3128",
    "plugin_version": "1.2.3",
    "pods.annotations": {"example.com/a": "b"},
    "pods.host_aliases": {"10.0.0.9": ("other.example.com",)},
    "pods.labels": LABELS,
    "secrets.external_secrets_version": "2.2",
    "secrets.refresh_interval": "2h",
    "secrets.store": "other",
    "secrets.vault_address": "https://vault.example.net",
    "secrets.vault_auth_mount": "other",
    "secrets.vault_mount": "other",
    "secrets.vault_prefix": "other",
    "secrets.vault_role": "other",
    "server.allowed_hosts": ("other.example.com",),
    "server.annotations": {"example.com/a": "b"},
    "server.autoscaling.pod_metrics": ({"name": "requests", "average_value": "5"},),
    "server.ca_bundle.key": "other.crt",
    "server.ca_bundle.name": "other",
    "server.cors_origins": ("https://other.example.com",),
    "server.extra_environment": {"MLFLOW_HTTP_REQUEST_TIMEOUT": "61"},
    "server.init_containers": ({"name": "other", "image": "a:1"},),
    "server.mounts": ({"volume": "scratch", "path": "/other"},),
    "server.node_affinity": ({"key": "pool", "operator": "Exists"},),
    "server.node_selector": LABELS,
    "server.pod_annotations": {"example.com/a": "b"},
    "server.pod_labels": LABELS,
    "server.priority_class": "other",
    "server.resources.cpu_limit": "3",
    "server.resources.cpu_request": "300m",
    "server.resources.memory_limit": "3Gi",
    "server.resources.memory_request": "800Mi",
    "server.service.annotations": {"example.com/a": "b"},
    "server.service.source_ranges": NETWORKS,
    "server.service_account": "other",
    "server.sidecars": ({"name": "other", "image": "a:1"},),
    "server.tmp_size": "5Gi",
    "server.tolerations": ({"key": "other", "operator": "Exists"},),
    "server.topology_spread": ({"topology_key": "other"},),
    "server.trusted_proxies": ("10.42.0.0/16",),
    "server.service_account_annotations": {"example.com/a": "b"},
    "server.value_from": {"MLFLOW_HTTP_REQUEST_TIMEOUT": {"name": "other", "key": "a"}},
    "server.volumes": ({"name": "other", "kind": "EmptyDir", "size": "1Gi"},),
}
"""By dotted key: what the type of a setting does not say; booleans, words and numbers need none."""


def leaves(section: type[Section] = Settings, above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and type of each setting that is no section."""
    for name, field in section.model_fields.items():
        key, inner = f"{above}{name}", _section(field.annotation)
        if inner is None or key in OTHERS:
            yield key, field.annotation
        else:
            yield from leaves(inner, f"{key}.")


def _section(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    options = get_args(annotation) if get_origin(annotation) in (UnionType, Union) else ()
    return next((found for option in options if (found := _section(option))), None)


def others(key: str, annotation: Any, value: Any) -> list[Any]:
    """Values of ``key``, whose type is ``annotation``, that are not ``value``."""
    if key in OTHERS:
        return [OTHERS[key]]
    words = [word for part in _parts(annotation) if get_origin(part) is Literal for word in get_args(part)]
    numbers = [value + step for step in (1, -1)] if isinstance(value, int | float) else [1000]
    found = [not value] if isinstance(value, bool) else words or (numbers if _is_number(annotation) else [])
    return [other for other in found if other != value]


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    # The words of a Literal are no types.
    inner = () if get_origin(annotation) is Literal else get_args(annotation)
    for part in inner[:1] if get_origin(annotation) is Annotated else inner:
        yield from _parts(part)


def _is_number(annotation: Any) -> bool:
    return any(part in (int, float) for part in _parts(annotation))
