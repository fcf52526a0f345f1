"""The environment ``try``: its addresses all lead into its own namespace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ENVIRONMENT = "try"
REALM = "mlflow"
KEYCLOAK_HOST = "keycloak.localhost"
MLFLOW_HOST = "localhost"
"""Browsers and curl look for both names on their own machine, where `kubectl port-forward` listens."""

PASSWORDS = "try-passwords"
CERTIFICATE = "try-certificate"
REALM_FILE = "try-realm"
KEYCLOAK_FILE = "try-keycloak"
REDIS_FILE = "try-redis"
"""Secrets that the command creates."""

AUTHORITY = "try-authority"
"""ConfigMap with the authority of the certificate."""

ROUTES = "try-routes"
"""ConfigMap with what the proxy routes."""

CONTAINER_PORT = 8443
"""Port of the proxy's container for TLS."""

IMAGES: Mapping[str, str] = {
    "postgres": "docker.io/library/postgres:17",
    "minio": "docker.io/minio/minio:RELEASE.2025-04-22T22-12-26Z",
    "keycloak": "quay.io/keycloak/keycloak:26.5",
    "redis": "docker.io/library/redis:7",
    "traefik": "docker.io/library/traefik:v3",
}
"""Public images, by tag: a digest is of one architecture or list, and a mirror's may differ. `--use` takes digests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the user chooses."""

    namespace: str = "mlflow-try"
    port: int = 30443
    """Port of this machine, and of the proxy's Service, for both public addresses."""
    release: str | None = None
    """MLflow's release; the default of the settings if not given."""
    image: Mapping[str, Any] = field(default_factory=dict)
    """Section ``image`` of the settings."""
    images: Mapping[str, str] = field(default_factory=lambda: IMAGES)
    """Image of each backing service."""


def pods(name: str) -> dict[str, str]:
    """Labels of the pods of a backing service."""
    return {"app.kubernetes.io/name": f"try-{name}"}


def service(name: str, namespace: str) -> str:
    """Host name of its Service."""
    return f"try-{name}.{namespace}.svc"


def document(trial: Trial, *, proxy: str, ports: Mapping[str, int]) -> dict[str, Any]:
    """The environment's file: ``proxy`` is the IP address of the proxy's Service.

    ``ports`` are those of this machine, behind which the bootstrap finds ``keycloak``, ``postgres`` and ``minio``.
    """
    return {
        **_installation(trial, proxy),
        **_backing(trial),
        **_traffic(trial),
        "monitoring": {"service_monitor": False},
        "delivery": {"tools": []},
        "bootstrap": {
            "keycloak_url": f"http://localhost:{ports['keycloak']}",
            "postgres_host": "localhost",
            "postgres_port": ports["postgres"],
            "s3_endpoint": f"http://localhost:{ports['minio']}",
        },
    }


def _installation(trial: Trial, proxy: str) -> dict[str, Any]:
    return {
        "cluster": ENVIRONMENT,
        "instance": "mlflow-try",
        "namespace": trial.namespace,
        "manage_namespace": False,
        **({"release": trial.release} if trial.release else {}),
        "image": dict(trial.image),
        "server": {"ca_bundle": {"name": AUTHORITY}},
        # No DNS of a cluster knows the name that browsers use.
        "pods": {"host_aliases": {proxy: [KEYCLOAK_HOST]}},
    }


def _backing(trial: Trial) -> dict[str, Any]:
    return {
        "database": {
            "host": service("postgres", trial.namespace),
            "role_management": "bootstrap",
            "database_management": "bootstrap",
        },
        "artifacts": {"endpoint": f"http://{service('minio', trial.namespace)}:9000"},
        "authentication": {
            "keycloak_host": KEYCLOAK_HOST,
            "keycloak_port": trial.port,
            "realm": REALM,
            "redis": {"host": service("redis", trial.namespace)},
        },
        "secrets": {"mode": "kubernetes"},
    }


def _traffic(trial: Trial) -> dict[str, Any]:
    peers = {name: {"namespace": trial.namespace, "labels": pods(name)} for name in trial.images}
    return {
        "ingress": {"enabled": False, "host": MLFLOW_HOST, "public_port": trial.port},
        "network": {
            "ingress_namespace": trial.namespace,
            "ingress_pod_labels": pods("traefik"),
            "keycloak_pods": {**peers["traefik"], "port": CONTAINER_PORT},
            "database_pods": peers["postgres"],
            "artifact_pods": peers["minio"],
            "redis_pods": peers["redis"],
        },
    }
