"""Environments of many kinds, from which one setting at a time is changed."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings
from tests.manifests.conftest import merged
from tests.manifests.objects import MINIMAL
from tests.manifests.other_values import SECTIONS

BOOTSTRAP = {"role_management": "bootstrap", "database_management": "bootstrap"}
CURRENT = {"release": "3.17.2"}
NO_POLICIES = {"network": {"policies": False}}
TUNNEL = {"cloudflared": {}}
GATEWAY = {"gateway": {"parents": ({"name": "traefik"},)}}

BASES: Mapping[str, dict[str, Any]] = {
    "smallest": {},
    "nothing": {
        **CURRENT,
        "ingress": {"enabled": False},
        "monitoring": {"service_monitor": False},
        "maintenance": {"garbage_collection": False, "end_access": False},
        "delivery": {"tools": ()},
        "database": {"host": "db.example.com", **BOOTSTRAP},
        "secrets": {"mode": "kubernetes"},
        "artifacts": {"kind": "gcs"},
    },
    "no policies": {
        "ingress": TUNNEL,
        "network": {"policies": False, "proxy": SECTIONS["network.proxy"]},
        "authentication": {"redis": SECTIONS["authentication.redis"]},
        "delivery": {"tools": ("flux",)},
        "backup": {"target": "s3://dumps/a", "cluster": {"method": "volume-snapshot"}},
    },
    "neither ingress nor policies": {
        "ingress": {"enabled": False, **TUNNEL},
        "network": {"policies": False},
        "monitoring": {"service_monitor": False, "rules": True},
        "delivery": {"tools": ("argocd",)},
        "database": {"role_management": "managed-roles", "database_management": "bootstrap"},
    },
    "Traefik as Gateway": {
        "ingress": {"controller": "traefik", "middleware": False, **GATEWAY},
        "authentication": {"directory_client": None},
        "database": BOOTSTRAP,
        "delivery": {"tools": ("flux",)},
        "monitoring": {"dashboard": True},
    },
    "nginx": {
        "ingress": {"controller": "nginx", "tls_secret": None},
        "artifacts": {"kind": "s3", "endpoint": None},
        "database": {"role_management": "managed-roles", "sslmode": "require"},
    },
    "no middleware": {"ingress": {"middleware": False, "cluster_issuer": None}, "backup": {"cluster": {}}},
    "load balancer": {
        **CURRENT,
        "ingress": {"controller": "alb"},
        "network": {"ingress_cidrs": ("10.0.0.0/8",)},
        "artifacts": {"kind": "azure", "endpoint": "https://account.blob.core.windows.net"},
    },
}

PROXY = {"proxy": SECTIONS["network.proxy"]}
RECIPIENTS = (f"age1{'q' * 58}",)
CLIENTS = {"ingress_cidrs": ("10.0.0.0/8",)}
REDIS = {"redis": SECTIONS["authentication.redis"]}

MORE: Mapping[str, dict[str, Any]] = {
    "everything": {
        **CURRENT,
        "authentication": REDIS,
        "server": {
            "autoscaling": {},
            "ca_bundle": {"name": "authority"},
            "volumes": ({"name": "scratch", "kind": "EmptyDir", "size": "1Gi"},),
            "mounts": ({"volume": "scratch", "path": "/scratch"},),
        },
        "database": {"max_connections": 1000},
        "ingress": TUNNEL,
        "network": {**PROXY, "backup_cidrs": ("10.0.0.0/8",)},
        "monitoring": {"rules": True, "dashboard": True},
        "artifacts": {"encryption": "aws:kms", "kind": "s3", "endpoint": "https://s3.example.com"},
        "secrets": {"vault_auth": "kubernetes"},
        "backup": {
            "target": "s3://dumps/a",
            "endpoint": "https://dumps.example.com",
            "cluster": {"target": "s3://backups/b"},
        },
        "delivery": {"tools": ("flux", "argocd")},
    },
    "HAProxy": {
        "ingress": {"controller": "haproxy"},
        "secrets": {"store_kind": "SecretStore"},
        "database": BOOTSTRAP,
        "monitoring": {"rules": True, "service_monitor": False},
    },
    "OpenShift": {
        **CURRENT,
        "ingress": {"controller": "openshift", "tls_secret": None},
        "server": {"user_id": None},
        "artifacts": {"kind": "s3", "endpoint": None, "credentials": "service-account"},
        "authentication": {"directory_client": None},
    },
    "Service of type LoadBalancer": {
        **CURRENT,
        "ingress": {"controller": "alb"},
        "network": CLIENTS,
        "server": {"service": {"type": "LoadBalancer"}, "strategy": "Recreate"},
        "artifacts": {"kind": "gcs", "credentials": "service-account"},
    },
    "Service of type NodePort": {
        **CURRENT,
        "ingress": {"enabled": False},
        "network": CLIENTS,
        "server": {"service": {"type": "NodePort"}, "read_only": True, "replicas": 2},
        "backup": {"target": "s3://dumps/a", "recipients": RECIPIENTS},
        "secrets": {"mode": "kubernetes"},
        "maintenance": {"garbage_collection": False},
    },
    "another Gateway": {
        **CURRENT,
        "ingress": {"controller": "other", **GATEWAY},
        "network": {"ingress_namespace": "edge", "dns_namespace": "dns"},
        "server": {"ai_gateway": True, "log_format": "json"},
        "artifacts": {"credentials": "keys", "prefix": "team"},
    },
    "proxy to Google": {
        **CURRENT,
        "network": PROXY,
        "artifacts": {"kind": "gcs"},
        "backup": {"target": "s3://dumps/a", "endpoint": "https://s3.dumps.com"},
    },
    "Keycloak as a Service": {
        "authentication": {"keycloak_host": "keycloak.keycloak.svc"},
        "database": {"host": "10.0.0.4", "sslmode": "verify-ca", **BOOTSTRAP},
        "image": {"digest": f"sha256:{'1' * 64}", "pull_policy": "Never"},
        "delivery": {"repository": "oci://registry.example.com/a"},
        "manage_namespace": False,
    },
    "pooler": {
        "database": {"host": "pooler.postgres.svc"},
        "artifacts": {"endpoint": "https://10.0.0.8:9000", "kind": "s3"},
        "authentication": {"redis": {"host": "redis.redis.svc", "password": False}},
        "server": {"strategy": "Recreate", "service_account": "own"},
    },
    "snapshots": {
        "backup": {"cluster": {"method": "volume-snapshot"}},
        "monitoring": {"rules": True, "service_monitor": False},
        "maintenance": {"garbage_collection": False, "end_access": False},
    },
    "client certificate": {"database": {"client_certificate": "client"}, "secrets": {"mode": "kubernetes"}},
    "no limits": {
        **CURRENT,
        "ingress": {"limits": {"requests_in_flight": 0, "logins_per_second": 0, "logins_in_flight": 0}},
        "server": {"autoscaling": {}, "spread_over_nodes": "required"},
        "database": {"max_connections": 1000},
    },
    "pod identity": {
        **CURRENT,
        "artifacts": {"kind": "s3", "endpoint": None, "credentials": "pod-identity"},
        "backup": {"target": "s3://dumps/a"},
    },
    "TLS in front of Traefik": {
        "ingress": {"entry_point": "web", "entry_point_tls": False, "tls_secret": None, **TUNNEL},
    },
}


def with_setting(document: Mapping[str, Any], key: str, value: Any, above: str = "") -> dict[str, Any]:
    """``document`` with ``key``, and the sections that it is in."""
    first, _, rest = key.partition(".")
    path = f"{above}{first}"
    section = document.get(first) or SECTIONS.get(path, {})
    inner = with_setting(section, rest, value, f"{path}.") if rest else value
    return {**document, first: inner}


def base(name: str) -> dict[str, Any]:
    """The environment file of that name."""
    return merged(MINIMAL, {**BASES, **MORE}[name])


def is_taken(document: Mapping[str, Any]) -> bool:
    try:
        Settings.model_validate(document)
    except ValidationError:
        return False
    return True


def value_of(settings: Settings, key: str) -> Any:
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part, None)
    return value
