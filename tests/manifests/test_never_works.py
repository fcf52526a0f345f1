"""Settings that are well formed, and with which nothing could ever connect, match or start, are refused by one line."""

from typing import Any

import pytest

from cdk8s_mlflow.settings import Settings
from tests.manifests.conftest import merged
from tests.manifests.objects import MINIMAL
from tests.manifests.refusals import refused

S3 = {"kind": "s3"}
DUMPS = {"target": "s3://dumps/mlflow"}
GATEWAY = {"name": "public", "namespace": "gateways"}
NGINX = "nginx.ingress.kubernetes.io"
TRAEFIK = "traefik.ingress.kubernetes.io"


def memory(limit: str, workers: int = 1) -> dict[str, Any]:
    return {"server": {"workers": workers, "resources": {"memory_request": "1Mi", "memory_limit": limit}}}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    # Each pod itself.
    ("authentication.keycloak_host", {"authentication": {"keycloak_host": "localhost"}}, "the pod itself"),
    ("authentication.redis.host", {"authentication": {"redis": {"host": "127.0.0.1"}}}, "the pod itself"),
    ("database.host", {"database": {"host": "localhost"}}, "the pod itself"),
    ("database.host", {"database": {"host": "::1", "sslmode": "verify-ca"}}, "the pod itself"),
    ("artifacts.endpoint", {"artifacts": S3 | {"endpoint": "https://127.0.0.2:9000"}}, "the pod itself"),
    ("artifacts.endpoint", {"artifacts": S3 | {"endpoint": "https://[::1]:9000"}}, "the pod itself"),
    ("backup.endpoint", {"backup": DUMPS | {"endpoint": "https://localhost:9000"}}, "the pod itself"),
    (
        "backup.cluster.endpoint",
        {"backup": {"cluster": {"target": "s3://dumps", "endpoint": "https://localhost"}}},
        "the Cluster's pod itself",
    ),
    # Names that others keep for themselves.
    ("authentication.client_id", {"authentication": {"client_id": "account"}}, "Keycloak makes for itself"),
    ("authentication.machine_client", {"authentication": {"machine_client": "admin-cli"}}, "Keycloak makes"),
    ("authentication.directory_client", {"authentication": {"directory_client": "broker"}}, "Keycloak makes"),
    ("authentication.realm", {"authentication": {"realm": "master"}}, "make a realm for users"),
    ("authentication.groups_scope", {"authentication": {"groups_scope": "openid"}}, "a scope that Keycloak makes"),
    ("authentication.groups_scope", {"authentication": {"groups_scope": "roles"}}, "a scope that Keycloak makes"),
    ("authentication.groups_claim", {"authentication": {"groups_claim": "sub"}}, "says something else"),
    ("authentication.groups_claim", {"authentication": {"groups_claim": "resource_access"}}, "says something else"),
    ("authentication.user_group", {"authentication": {"user_group": "MLflow-Admins"}}, "only capitals"),
    ("database.role", {"database": {"role": "public"}}, "PostgreSQL keeps"),
    ("monitoring.alert_labels.cost-center", {"monitoring": {"alert_labels": {"cost-center": "ml"}}}, "no label"),
    ("monitoring.alert_labels.alertname", {"monitoring": {"alert_labels": {"alertname": "x"}}}, "use another"),
    # The same twice.
    ("image.pull_secrets", {"image": {"pull_secrets": ("a", "b", "a")}}, "names a twice"),
    ("network.dns_ports", {"network": {"dns_ports": (53, 53)}}, "names 53 twice"),
    ("delivery.tools", {"delivery": {"tools": ("flux", "flux")}}, "names flux twice"),
    ("ingress.more_hosts", {"ingress": {"more_hosts": ("mlflow.example.com",)}}, "twice"),
    ("pods.host_aliases.10.0.0.1", {"pods": {"host_aliases": {"10.0.0.1": ("a.b.c", "a.b.c")}}}, "twice"),
    ("ingress.gateway.parents", {"ingress": {"gateway": {"parents": (GATEWAY, GATEWAY)}}}, "twice"),
    (
        "ingress.gateway.parents",
        {"ingress": {"gateway": {"parents": (GATEWAY, GATEWAY | {"section_name": "https"})}}},
        "section_name",
    ),
    # Regions that contradict each other.
    (
        "artifacts.endpoint",
        {"artifacts": S3 | {"endpoint": "https://s3.eu-west-1.amazonaws.com"}},
        "set artifacts.region",
    ),
    ("backup.endpoint", {"backup": DUMPS | {"endpoint": "https://s3.eu-west-1.amazonaws.com"}}, "set backup.region"),
    (
        "backup.cluster.endpoint",
        {"backup": {"cluster": DUMPS | {"endpoint": "https://s3.eu-west-1.amazonaws.com"}}},
        "set backup.cluster.region",
    ),
    (
        "backup.cluster.endpoint",
        {"backup": {"cluster": DUMPS | {"endpoint": "https://dumps.s3.us-east-1.amazonaws.com"}}},
        "names the bucket dumps too",
    ),
    # Memory that workers write to before they answer.
    ("server.resources.memory_limit", memory("100Mi"), "they take 105Mi"),
    ("server.resources.memory_limit", memory("140Mi") | {"release": "3.17.2"}, "they take 145Mi"),
    ("server.resources.memory_limit", memory("200M", workers=2), "or lower server.workers"),
    (
        "artifacts.kms_key",
        {"artifacts": S3 | {"endpoint": None, "encryption": "aws:kms", "kms_key": "arn:aws:kms:eu-west-1:1:key/a"}},
        "S3 takes only keys of its own",
    ),
    # What no member, no browser, no controller and no operator could use, or every member.
    ("artifacts.allowed_locations", {"artifacts": {"allowed_locations": ("gs://other/a",)}}, "no client"),
    ("artifacts.allowed_locations", {"artifacts": {"allowed_locations": ("hdfs://other/a",)}}, "no client"),
    ("artifacts.allowed_locations", {"artifacts": {"allowed_locations": ("s3://mlflow",)}}, "every member"),
    ("artifacts.allowed_locations", {"artifacts": {"allowed_locations": ("s3://mlflow/1",)}}, "every member"),
    (
        "artifacts.allowed_locations",
        {"artifacts": {"prefix": "teams/ml", "allowed_locations": ("s3://mlflow/teams",)}},
        "every member",
    ),
    *(
        (
            "server.trusted_proxies[0]",
            {"release": "3.17.2", "server": {"trusted_proxies": (network,)}},
            "forge its address",
        )
        for network in ("0.0.0.0/1", "128.0.0.0/2", "::/3", "::ffff:0.0.0.0/96")
    ),
    ("ingress.more_hosts[0]", {"ingress": {"more_hosts": ("mlflow.mlflow.svc",)}}, "no browser resolves"),
    ("ingress.public_port", {"ingress": {"public_port": 80}}, "the public address is https"),
    (f"ingress.annotations.{NGINX}/app-root", {"ingress": {"annotations": {f"{NGINX}/app-root": "/"}}}, "nginx only"),
    (
        "ingress.annotations.alb.ingress.kubernetes.io/scheme",
        {"ingress": {"controller": "nginx", "annotations": {"alb.ingress.kubernetes.io/scheme": "internal"}}},
        "alb only",
    ),
    (
        "ingress.annotations.kubernetes.io/ingress.class",
        {"ingress": {"annotations": {"kubernetes.io/ingress.class": "nginx"}}},
        "follows from ingress.class_name",
    ),
    (
        "ingress.annotations.cert-manager.io/cluster-issuer",
        {"ingress": {"annotations": {"cert-manager.io/cluster-issuer": "own"}}},
        "follows from ingress.cluster_issuer",
    ),
    *(
        (f"ingress.annotations.{TRAEFIK}/{name}", {"ingress": {"annotations": {f"{TRAEFIK}/{name}": value}}}, said)
        for name, value, said in (
            ("router.middlewares", "traefik-office@kubernetescrd", "ingress.more_middlewares"),
            ("router.entrypoints", "web", "ingress.entry_point"),
            ("router.tls", "false", "ingress.entry_point"),
        )
    ),
    (
        f"ingress.annotations.{TRAEFIK}/router.middlewares",
        {"ingress": {"gateway": {"parents": (GATEWAY,)}, "annotations": {f"{TRAEFIK}/router.middlewares": "a@file"}}},
        "no effect on an HTTPRoute",
    ),
    ("ingress.more_middlewares[0]", {"ingress": {"more_middlewares": ("office",)}}, "traefik-office@kubernetescrd"),
    ("ingress.more_middlewares[0]", {"ingress": {"more_middlewares": ("a@file,b@file",)}}, "@kubernetescrd"),
    ("ingress.more_middlewares", {"ingress": {"more_middlewares": ("a@file", "a@file")}}, "names a@file twice"),
    (
        "ingress.more_middlewares",
        {"ingress": {"controller": "nginx", "more_middlewares": ("a@file",)}},
        "only with traefik",
    ),
    (
        "ingress.more_middlewares",
        {"ingress": {"gateway": {"parents": (GATEWAY,)}, "more_middlewares": ("a@file",)}},
        "no effect on an HTTPRoute",
    ),
    ("ingress.limits.login_burst", {"ingress": {"limits": {"logins_per_second": 0, "login_burst": 5}}}, "no effect"),
    (
        "ingress.limits.logins_in_flight",
        {"ingress": {"limits": {"requests_in_flight": 5, "logins_in_flight": 6}}},
        "lower it",
    ),
    ("database.host", {"database": {"host": "postgres-cluster-ro.postgres.svc"}}, "take no writes"),
    ("delivery.path", {"delivery": {"path": "../dist"}}, "leave the dots out"),
    ("delivery.revision", {"delivery": {"revision": "HEAD"}}, "name the branch"),
    ("delivery.repository", {"delivery": {"repository": "oci://ghcr.io/a/b:main"}}, "name that in delivery.revision"),
    ("delivery.timeout", {"delivery": {"timeout": "30s"}}, "nothing becomes ready"),
    ("secrets.refresh_interval", {"secrets": {"refresh_interval": "0s"}}, "no rotation arrives"),
    ("secrets.vault_address", {"secrets": {"mode": "kubernetes", "vault_address": "https://v"}}, "no effect"),
    ("secrets.refresh_interval", {"secrets": {"mode": "kubernetes", "refresh_interval": "2h"}}, "no effect"),
    ("maintenance.session_pruning_schedule", {"maintenance": {"session_pruning_schedule": "*/90 * * * *"}}, "0-59"),
    ("server.resources.memory_request", {"server": {"resources": {"memory_request": "768"}}}, "such as 768Mi"),
    ("server.resources.memory_request", {"server": {"resources": {"memory_request": "768m"}}}, "such as 768Mi"),
]
TAKEN: list[dict[str, Any]] = [
    {"authentication": {"keycloak_host": "keycloak.localhost"}},
    {"authentication": {"realm": "masters"}},
    {"ingress": {"annotations": {f"{TRAEFIK}/router.priority": "20"}}},
    # Of such an Ingress all annotations are the settings' own.
    {
        "ingress": {
            "controller": "other",
            "class_name": "edge",
            "annotations": {f"{TRAEFIK}/router.middlewares": "a@file"},
        }
    },
    {"ingress": {"middleware": False, "more_middlewares": ("traefik-office@kubernetescrd", "audit@file")}},
    {"authentication": {"client_id": "accounts", "groups_claim": "mlflow_groups", "groups_scope": "mlflow-roles"}},
    {"monitoring": {"rules": True, "alert_labels": {"team": "ml", "cost_center": "a-b"}}},
    {
        "ingress": {
            "controller": "other",
            "gateway": {"parents": (GATEWAY | {"section_name": "a"}, GATEWAY | {"section_name": "b"})},
        }
    },
    {"ingress": {"controller": "nginx", "annotations": {f"{NGINX}/whitelist-source-range": "10.0.0.0/8"}}},
    {"ingress": {"annotations": {"example.com/owner": "ml", "cert-manager.io/duration": "2160h"}}},
    {"artifacts": S3 | {"endpoint": "https://s3.dualstack.eu-west-1.amazonaws.com", "region": "eu-west-1"}},
    {"artifacts": S3 | {"endpoint": "https://s3.eu-west-1.example.com"}},
    {"backup": {"cluster": DUMPS | {"endpoint": "https://s3.eu-west-1.amazonaws.com", "region": "eu-west-1"}}},
    {
        "backup": {
            "cluster": DUMPS | {"endpoint": "https://s3.eu-west-1.amazonaws.com", "credentials": "service-account"}
        }
    },
    {"backup": {"cluster": DUMPS | {"endpoint": "http://minio.minio.svc:9000"}}},
    memory("128Mi"),
    memory("2Gi", workers=16) | {"database": {"max_connections": 1000}},
    {"artifacts": {"prefix": "teams/ml", "allowed_locations": ("s3://mlflow/shared", "s3://mlflow2/a")}},
    {"server": {"init_containers": ({"name": "a", "image": "a:1", "command": ("sh", "-v", "-v")},)}},
    {"secrets": {"mode": "kubernetes"}},
    # What is the default anyway asks for nothing.
    {"secrets": {"mode": "kubernetes", "refresh_interval": "1h"}},
    {"release": "3.17.2", "server": {"trusted_proxies": ("100.64.0.0/10", "fc00::/7", "203.0.113.5")}},
    {"delivery": {"repository": "oci://ghcr.io:8443/a/b", "timeout": "60s", "path": "deploy/dist.d"}},
    {"release": "3.17.2", "maintenance": {"session_pruning_schedule": "*/59 * * * *"}},
]


@pytest.mark.parametrize(("key", "changes", "message"), REFUSED, ids=str)
def test_what_never_works_is_refused(key: str, changes: dict[str, Any], message: str) -> None:
    document = merged(MINIMAL, changes)

    said = refused(**document)

    assert message in said[key]


@pytest.mark.parametrize("changes", TAKEN, ids=str)
def test_what_looks_alike_is_taken(changes: dict[str, Any]) -> None:
    document = merged({"network": {"policies": False}}, merged(MINIMAL, changes))

    assert Settings.model_validate(document)


def test_list_of_python_names_remedy() -> None:
    assert refused(server={"allowed_hosts": ["a.example.com"]}) == {
        "server.allowed_hosts": "must be a tuple in Python code; a list is one of YAML only"
    }
