"""Addresses, identities and annotations that are well formed and lead nowhere are refused, each by one line."""

from typing import Any

import pytest

from cdk8s_mlflow.settings import Settings
from tests.manifests.conftest import merged
from tests.manifests.objects import MINIMAL
from tests.manifests.refusals import refused

BOOTSTRAP = {"role_management": "bootstrap", "database_management": "bootstrap"}
RDS = "mlflow.abc.eu-west-1.rds.amazonaws.com"
AWS = {"kind": "s3", "endpoint": None}
CEPH = {"kind": "s3", "endpoint": "https://ceph.example.net"}
DUMPS = {"target": "s3://dumps/mlflow", "credentials": "service-account"}
NGINX, ALB = "nginx.ingress.kubernetes.io", "alb.ingress.kubernetes.io"
BY_ALB = {"controller": "alb", "alb": {"certificate_arn": "arn:aws:acm:eu-west-1:1:certificate/a"}}
ON_NODE = {"kubernetes.io/hostname": "node-1"}
EDGE = {"controller": "other", "class_name": "edge"}
OPEN = {"ingress_cidrs": ("10.0.0.0/16",)}


def database(**settings: Any) -> dict[str, Any]:
    return {"database": settings}


def redis(**settings: Any) -> dict[str, Any]:
    return {"authentication": {"redis": settings}}


def annotated(name: str, value: str, **ingress: Any) -> dict[str, Any]:
    return {"ingress": {"annotations": {name: value}, **ingress}}


def affinity(key: str, *values: str) -> dict[str, Any]:
    return {"server": {"node_affinity": ({"key": key, "operator": "In", "values": values},)}}


def cluster_backup(schedule: str, hours: int, **monitoring: Any) -> dict[str, Any]:
    backup = {"target": "s3://backups/p", "schedule": schedule, "maximum_age_hours": hours}
    return {"backup": {"cluster": backup}, "monitoring": {"rules": True, **monitoring}}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    # Where MinIO's address would be asked.
    ("artifacts.endpoint", {"artifacts": {"kind": "s3"}}, "null for S3 of AWS"),
    ("artifacts.endpoint", {"artifacts": {"endpoint": "http://minio-console.minio.svc:9090"}}, "a page"),
    ("artifacts.endpoint", {"artifacts": {"endpoint": "http://minio.minio.svc:9001"}}, "a page"),
    ("artifacts.endpoint", {"artifacts": {"endpoint": "http://minio.svc:9000"}}, "write minio.NAMESPACE.svc"),
    ("artifacts.addressing", {"artifacts": {"addressing": "virtual"}}, "use path"),
    (
        "artifacts.addressing",
        {"artifacts": CEPH | {"endpoint": "https://10.0.0.9", "addressing": "virtual"}},
        "use path",
    ),
    ("artifacts.credentials", {"artifacts": CEPH | {"credentials": "service-account"}}, "only S3 of AWS"),
    ("artifacts.credentials", {"artifacts": CEPH | {"credentials": "pod-identity"}}, "only S3 of AWS"),
    ("backup.credentials", {"backup": DUMPS}, "only S3 of AWS"),
    ("backup.credentials", {"artifacts": AWS, "backup": DUMPS | {"endpoint": "https://s3.example.net"}}, "use keys"),
    # Another PostgreSQL than the one in which CloudNativePG makes role and databases.
    ("database.host", database(host=RDS), "set database.role_management and database.database_management"),
    ("database.host", database(host="10.7.0.3", sslmode="verify-ca"), "to bootstrap"),
    ("database.host", database(host="x.postgres.database.azure.com"), "to bootstrap"),
    ("database.host", database(host=RDS, role_management="bootstrap"), "set database.database_management to bootstrap"),
    ("database.host", database(host="postgres-cluster-rw"), "in mlflow, but CloudNativePG"),
    ("database.host", database(host="pooler.other.svc.cluster.local"), "in other, but CloudNativePG"),
    ("database.host", database(host="pg.svc", **BOOTSTRAP), "write pg.NAMESPACE.svc"),
    ("database.host", database(host="pg.svc.cluster.local", **BOOTSTRAP), "write pg.NAMESPACE.svc"),
    # Replicas.
    ("database.host", database(host="postgres-cluster-ro.postgres.svc"), "replicas"),
    ("database.host", database(host="postgres-cluster-r.postgres.svc"), "replicas"),
    ("database.host", database(host="hippo-replicas.pgo.svc", **BOOTSTRAP), "replicas"),
    ("database.host", database(host="acid-minimal-cluster-repl.pg.svc", **BOOTSTRAP), "replicas"),
    ("database.host", database(host="pg-postgresql-read.pg.svc", **BOOTSTRAP), "replicas"),
    ("database.host", database(host=f"m.cluster-ro-{RDS.partition('.')[2]}", **BOOTSTRAP), "replicas"),
    ("authentication.redis.host", redis(host="redis-replicas.redis.svc"), "replicas"),
    ("authentication.redis.host", redis(host="replica.mlflow.abc.euw1.cache.amazonaws.com"), "replicas"),
    ("authentication.redis.host", redis(host="redis.svc"), "write redis.NAMESPACE.svc"),
    ("authentication.keycloak_host", {"authentication": {"keycloak_host": "kc.svc"}}, "write kc.NAMESPACE.svc"),
    ("authentication.redis.port", redis(host="redis.redis.svc", port=26379), "a Sentinel's"),
    ("authentication.redis.tls", redis(host="a.redis.cache.windows.net", port=6380, tls=False), "TLS only"),
    ("authentication.keycloak_port", {"authentication": {"keycloak_port": 80}}, "the port of http"),
    # Authorities.
    (
        "database.ca",
        database(ca="system", sslmode="verify-ca", host="10.1.4.5", **BOOTSTRAP),
        "only sslmode verify-full",
    ),
    ("database.sslmode", database(ca="system", host="10.1.4.5", **BOOTSTRAP), "with database.ca: store"),
    ("database.ca", database(ca="system"), "a name of the cluster; use store"),
    ("database.ca", database(ca="system", host=RDS, **BOOTSTRAP), "Amazon's own authorities"),
    ("database.ca", database(ca="system", sslmode="require"), "has no effect"),
    # The hosts file of our pods.
    (
        "database.host",
        {"pods": {"host_aliases": {"127.0.0.1": ("db.example.net",)}}} | database(host="db.example.net", **BOOTSTRAP),
        "the pod itself",
    ),
    # Controllers.
    ("ingress.controller", {"ingress": {"class_name": "gce"}}, "set it to what serves that class"),
    ("ingress.controller", {"ingress": {"class_name": "webapprouting.kubernetes.azure.com"}}, "or to other"),
    ("ingress.controller", {"ingress": {"gateway": {"parents": ({"name": "eg"},)}}}, "if Traefik serves the Gateway"),
    ("ingress.timeout_seconds", {"ingress": BY_ALB | {"timeout_seconds": 4001}}, "more than the 4000"),
    # Annotations with which the server is not reached.
    (
        f"ingress.annotations.{NGINX}/backend-protocol",
        annotated(f"{NGINX}/backend-protocol", "HTTPS", controller="nginx"),
        "http",
    ),
    (
        f"ingress.annotations.{NGINX}/backend-protocol",
        annotated(f"{NGINX}/backend-protocol", "GRPC", **EDGE),
        "speaks http",
    ),
    (
        f"ingress.annotations.{NGINX}/ssl-passthrough",
        annotated(f"{NGINX}/ssl-passthrough", "true", controller="nginx"),
        "TLS",
    ),
    (
        f"ingress.annotations.{NGINX}/rewrite-target",
        annotated(f"{NGINX}/rewrite-target", "/", controller="nginx"),
        "path",
    ),
    (
        "ingress.annotations.haproxy.org/server-ssl",
        annotated("haproxy.org/server-ssl", "true", controller="haproxy"),
        "TLS",
    ),
    (
        "ingress.annotations.haproxy.org/path-rewrite",
        annotated("haproxy.org/path-rewrite", "/", controller="haproxy"),
        "path",
    ),
    (
        f"ingress.annotations.{ALB}/target-type",
        annotated(f"{ALB}/target-type", "instance", **BY_ALB),
        "targets are pods",
    ),
    (f"ingress.annotations.{ALB}/healthcheck-path", annotated(f"{ALB}/healthcheck-path", "/", **BY_ALB), "healthy"),
    (
        f"ingress.annotations.{ALB}/load-balancer-attributes",
        annotated(f"{ALB}/load-balancer-attributes", "access_logs.s3.enabled=true", **BY_ALB),
        "add idle_timeout",
    ),
    (
        "ingress.annotations.route.openshift.io/termination",
        annotated("route.openshift.io/termination", "reencrypt", controller="openshift", tls_secret=None),
        "speaks http",
    ),
    (
        "server.service.annotations.traefik.ingress.kubernetes.io/service.serversscheme",
        {"server": {"service": {"annotations": {"traefik.ingress.kubernetes.io/service.serversscheme": "https"}}}},
        "speaks http",
    ),
    (
        "ingress.annotations.nginx.org/proxy-read-timeout",
        annotated("nginx.org/proxy-read-timeout", "9s", controller="nginx"),
        "F5",
    ),
    # Images and objects that are refused elsewhere.
    ("image.registry", {"image": {"registry": "harbor.example.net/proj/"}}, "closing slash"),
    ("image.registry", {"image": {"registry": "harbor.example.net//proj"}}, "closing slash"),
    ("image.registry", {"image": {"registry": "harbor..example.net"}}, "must look like"),
    ("image.registry", {"image": {"registry": "harbor.example.net:99999"}}, "must look like"),
    ("server.sidecars[0].image", {"server": {"sidecars": ({"name": "a", "image": "a@sha256:abc"},)}}, "must look like"),
    (
        "server.mounts[0].sub_path",
        {"server": {"mounts": ({"volume": "a", "path": "/a", "sub_path": "b/../c"},)}},
        "must look like",
    ),
    (
        "server.autoscaling.pod_metrics",
        {"release": "3.17.2", "server": {"autoscaling": {"pod_metrics": ({"name": "rps", "average_value": "0"},)}}},
        "raise it",
    ),
    # Pods without a node.
    ("server.spread_over_nodes", {"server": {"spread_over_nodes": "required", "node_selector": ON_NODE}}, "one node"),
    ("server.node_affinity.kubernetes.io/arch", affinity("kubernetes.io/arch", "x86_64"), "amd64 or arm64"),
    ("server.node_affinity.kubernetes.io/os", affinity("kubernetes.io/os", "windows"), "write linux"),
    # Alerts that would always fire, or never.
    ("monitoring.interval", {"monitoring": {"interval": "5m", "rules": True}}, "use 2m or less"),
    ("backup.cluster.maximum_age_hours", cluster_backup("47 0 * * *", 12), "24 hours between"),
    ("backup.cluster.maximum_age_hours", cluster_backup("0 0 * * 0", 26), "168 hours between"),
    ("backup.cluster.maximum_age_hours", cluster_backup("0 0 1 * *", 700), "744 hours between"),
    # Delivery.
    ("delivery.credentials_secret", {"delivery": {"repository": "ssh://git@git.example.net/a.git"}}, "known_hosts"),
    (
        "delivery.argocd_version",
        {"delivery": {"repository": "oci://ghcr.io/a/b", "tools": ("argocd",), "argocd_version": "3.0"}},
        "from 3.1 on",
    ),
]

TAKEN: list[dict[str, Any]] = [
    {"artifacts": AWS | {"credentials": "service-account"}},
    {"artifacts": {"kind": "s3", "endpoint": "https://s3.us-east-1.amazonaws.com", "credentials": "pod-identity"}},
    {"artifacts": AWS, "backup": DUMPS},
    {"backup": DUMPS | {"endpoint": "https://s3.us-east-1.amazonaws.com"}},
    {"artifacts": CEPH | {"endpoint": "https://ceph.example.net:9001"}},
    {"artifacts": CEPH | {"addressing": "virtual"}},
    database(host="pooler-rw.postgres.svc"),
    database(host="pooler.postgres.svc.cluster.local"),
    database(host="pg.corp.example.net"),
    database(host=RDS, **BOOTSTRAP),
    database(host="prod-r2.pg.svc", **BOOTSTRAP),
    database(ca="system", host="mlflow.proxy-abc.eu-west-1.rds.amazonaws.com", **BOOTSTRAP),
    database(ca="system", host="pg.example.net", **BOOTSTRAP),
    database(ca="system") | {"server": {"ca_bundle": {"name": "private-authority"}}},
    redis(host="redis-master.redis.svc"),
    redis(host="a.redis.cache.windows.net", port=6380, tls=True),
    {"ingress": {"class_name": "traefik-internal"}},
    {"ingress": {"class_name": "public", "controller": "traefik"}},
    {"ingress": {"gateway": {"parents": ({"name": "traefik-gateway", "namespace": "web"},)}}},
    annotated(f"{NGINX}/backend-protocol", "HTTP", controller="nginx"),
    annotated(
        f"{ALB}/load-balancer-attributes",
        "idle_timeout.timeout_seconds=60,access_logs.s3.enabled=true,"
        "routing.http.drop_invalid_header_fields.enabled=true",
        **BY_ALB,
    ),
    {"image": {"registry": "harbor.example.net:8443/proj__x/a-b.c"}},
    {"server": {"sidecars": ({"name": "a", "image": "r.example.net:5000/a:1.2"},)}},
    {"server": {"sidecars": ({"name": "a", "image": "r.example.net/a:1.2@sha256:" + "0a" * 32},)}},
    {"server": {"spread_over_nodes": "preferred", "node_selector": ON_NODE}},
    affinity("kubernetes.io/arch", "arm64", "riscv64"),
    {"monitoring": {"interval": "5m"}},
    {"monitoring": {"interval": "2m", "rules": True}},
    cluster_backup("47 0 * * *", 25),
    cluster_backup("0 0 * * 0", 170),
    cluster_backup("0 */6 * * *", 8),
    {"delivery": {"repository": "ssh://git@git.example.net/a.git", "tools": ("argocd",)}},
    {"delivery": {"repository": "oci://ghcr.io/a/b", "tools": ("flux",)}},
]


@pytest.mark.parametrize(("key", "changes", "message"), REFUSED, ids=str)
def test_what_never_connects_is_refused(key: str, changes: dict[str, Any], message: str) -> None:
    messages = refused(**merged({"network": {"policies": False}}, merged(MINIMAL, changes)))

    assert message in messages.get(key, ""), messages


@pytest.mark.parametrize("changes", TAKEN, ids=str)
def test_what_looks_alike_is_taken(changes: dict[str, Any]) -> None:
    document = merged({"network": {"policies": False}}, merged(MINIMAL, changes))

    assert Settings.model_validate(document)


TUNNEL = {"cloudflared": {"origin": "edge.edge.svc"}}


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("network.ingress_namespace", {"ingress": EDGE | TUNNEL, "network": OPEN}),
        ("network.ingress_namespace", {"ingress": BY_ALB | TUNNEL, "network": OPEN}),
        ("ingress.cloudflared.origin", {"ingress": {"cloudflared": {"origin": "mlflow.mlflow.svc"}}}),
    ],
    ids=str,
)
def test_tunnel_that_reaches_nothing_is_refused(key: str, changes: dict[str, Any]) -> None:
    assert key in refused(**merged(MINIMAL, changes))
