"""Random settings, of which most are valid: what a platform team may set, extremes included."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st


def tried(count: int) -> Callable[[Any], Any]:
    """Options of a test that tries ``count`` documents, each time the same."""
    return settings(
        max_examples=count,
        deadline=None,
        # The same documents each time: a failure can be repeated, and no build fails by chance.
        derandomize=True,
        database=None,
        # Each step of shrinking would render again; the document in the message is small enough.
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


QUANTITIES = ("1m", "100m", "500m", "1", "1.5", "2", "64Mi", "256Mi", "700M", "1Gi", "2Gi", "4Gi", "1Ti")
CPU = st.sampled_from(("1m", "100m", "250m", "0.5", "1", "1.5", "2", "64"))
MEMORY = st.sampled_from(("64Mi", "256Mi", "512Mi", "700M", "1Gi", "2Gi", "4Gi", "1Ti"))
# The longest labels that Kubernetes takes, and some that it refuses.
LABELS = st.dictionaries(
    st.sampled_from(("team", "example.com/cost", "a" * 63, "x" * 253 + "/y", "A.b_c-1")),
    st.sampled_from(("", "a", "a" * 63, "1", "true", "0x1", "A.b_c-1", "-a", "a b")),
    max_size=2,
)
# Some of them are numbers or booleans to a YAML parser.
NAMES = st.sampled_from(("a", "mlflow", "a" * 63, "a" * 50, "x-1", "a.b", "1", "true", "0123", "1e3"))
CIDRS = st.lists(
    st.sampled_from(("10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0", "192.0.2.1/32", "10.0.0.1/8", "10.0.0.1")),
    max_size=2,
).map(tuple)
PORTS = st.sampled_from((1, 53, 443, 5000, 9090, 65535))
TRAFFIC = st.fixed_dictionaries(
    {"ports": st.lists(st.fixed_dictionaries({"port": PORTS}, optional={"end_port": PORTS}), max_size=2).map(tuple)},
    optional={"cidrs": CIDRS, "except_cidrs": CIDRS, "namespace": NAMES, "pod_labels": LABELS},
)
TOLERATION = st.fixed_dictionaries(
    {"key": st.sampled_from(("a", "example.com/gpu", "a b"))},
    optional={
        "operator": st.sampled_from(("Equal", "Exists")),
        "value": st.sampled_from(("", "a", "a" * 63, "a b")),
        "effect": st.sampled_from(("NoSchedule", "NoExecute")),
    },
)
RESOURCES = st.fixed_dictionaries(
    {}, optional={"cpu_request": CPU, "cpu_limit": CPU, "memory_request": MEMORY, "memory_limit": MEMORY}
)
SCALING = st.fixed_dictionaries(
    {},
    optional={
        "min_replicas": st.integers(1, 6),
        "max_replicas": st.integers(2, 8),
        "cpu_percent": st.integers(10, 100),
    },
)

MAPPED = st.dictionaries(
    st.sampled_from(("example.com/a", "a" * 63, "nginx.ingress.kubernetes.io/x", "A/b/c", "a b")),
    st.sampled_from(("", "a: b", "true", "{}", "x" * 300, "line\nbreak")),
    max_size=2,
)
PATHS = st.sampled_from(("/data", "/etc/x/y", "/tmp", "/var/run/secrets/mlflow", "/", "data", "/data/../etc"))
VOLUME = st.fixed_dictionaries(
    {"name": NAMES, "kind": st.sampled_from(("ConfigMap", "Secret", "PersistentVolumeClaim", "EmptyDir"))},
    optional={"source": NAMES, "size": MEMORY},
)
MOUNT = st.fixed_dictionaries(
    {"volume": NAMES, "path": PATHS}, optional={"sub_path": st.sampled_from(("a", "a/b", "..", "a/../b"))}
)
CONTAINER = st.fixed_dictionaries(
    {"name": NAMES, "image": st.sampled_from(("registry.example.com/a:1", "a@sha256:" + "0" * 64, "a:latest", "a"))},
    optional={
        "command": st.just(("sh", "-c", "true")),
        "environment": st.dictionaries(
            st.sampled_from(("A", "A_B", "PATH")), st.sampled_from(("", "$(A)", "x")), max_size=2
        ),
        "resources": st.fixed_dictionaries({}, optional={"cpu_request": CPU, "cpu_limit": CPU, "memory_limit": MEMORY}),
    },
)
NODE = st.fixed_dictionaries(
    {"key": st.sampled_from(("example.com/pool", "a" * 63, "a b"))},
    optional={
        "operator": st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")),
        "values": st.lists(st.sampled_from(("a", "1", "-1", "a b", "x" * 64)), max_size=2, unique=True).map(tuple),
    },
)
SPREAD = st.fixed_dictionaries(
    {"topology_key": st.sampled_from(("kubernetes.io/hostname", "topology.kubernetes.io/zone", "a b"))},
    optional={
        "max_skew": st.integers(0, 3),
        "when_unsatisfiable": st.sampled_from(("ScheduleAnyway", "DoNotSchedule")),
    },
)
PODS = st.fixed_dictionaries({}, optional={"namespace": NAMES, "labels": LABELS, "port": PORTS})
PARENT = st.fixed_dictionaries({"name": NAMES}, optional={"namespace": NAMES, "section_name": NAMES})
DURATIONS = st.sampled_from(("0s", "1s", "1h", "90m", "1h30m", "1d", "10", "1.5h"))
SCHEDULES = st.sampled_from(("17 3 * * *", "*/5 * * * 1-5", "0 0 31 2 *", "0 0 * * 7", "1-59/2 0 1,15 * *", "@daily"))
HOSTS = st.sampled_from(("b.example.com", "a" * 63 + ".example.com", "B.example.com", "x_y.example.com", "*.a.com"))

SECTIONS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "server": {
        "replicas": st.integers(1, 4),
        "autoscaling": SCALING,
        "resources": RESOURCES,
        "tmp_size": st.sampled_from(QUANTITIES),
        "node_selector": LABELS,
        "pod_labels": LABELS,
        "tolerations": st.lists(TOLERATION, max_size=2).map(tuple),
        "priority_class": NAMES,
        "drain_seconds": st.sampled_from((0, 5, 300)),
        "termination_grace_seconds": st.sampled_from((10, 60, 3600)),
        "user_id": st.sampled_from((10000, 2_000_000_000)),
        "max_surge": st.integers(0, 2),
        "max_unavailable": st.integers(0, 2),
        "strategy": st.sampled_from(("RollingUpdate", "Recreate")),
        "annotations": MAPPED,
        "pod_annotations": MAPPED,
        "service_account": NAMES,
        "service_account_annotations": MAPPED,
        "volumes": st.lists(VOLUME, max_size=2).map(tuple),
        "mounts": st.lists(MOUNT, max_size=2).map(tuple),
        "init_containers": st.lists(CONTAINER, max_size=2).map(tuple),
        "sidecars": st.lists(CONTAINER, max_size=2).map(tuple),
        "node_affinity": st.lists(NODE, max_size=2).map(tuple),
        "topology_spread": st.lists(SPREAD, max_size=2).map(tuple),
        "spread_over_nodes": st.sampled_from(("preferred", "required", "off")),
        "ca_bundle": st.fixed_dictionaries(
            {"name": NAMES}, optional={"key": st.sampled_from(("ca.crt", "a/b", "a" * 253))}
        ),
        "service": st.fixed_dictionaries(
            {"type": st.sampled_from(("ClusterIP", "NodePort", "LoadBalancer"))},
            optional={"annotations": MAPPED, "source_ranges": CIDRS},
        ),
        "trusted_proxies": CIDRS,
    },
    "image": {"tag": NAMES, "pull_secrets": st.lists(NAMES, max_size=2, unique=True).map(tuple)},
    "database": {
        **dict.fromkeys(("cluster", "object_name", "name", "client_certificate"), NAMES),
        "max_connections": st.just(10000),
        "role_management": st.sampled_from(("database-role", "managed-roles", "bootstrap")),
        "reclaim_policy": st.sampled_from(("retain", "delete")),
    },
    "artifacts": {
        "bucket": st.sampled_from(("abc", "a" * 63, "a.b", "a")),
        "prefix": NAMES,
        "checksums": st.just("when_required"),
        "kind": st.just("s3"),
        "credentials": st.sampled_from(("keys", "service-account", "pod-identity")),
        "endpoint": st.sampled_from(
            (None, "https://s3.example.com", "http://rook.rook-ceph.svc", "http://10.0.0.9:9000")
        ),
    },
    "migration": {"run": st.integers(1, 9), "deadline_seconds": st.sampled_from((60, 604800))},
    "ingress": {
        "public_port": PORTS,
        "tls_secret": st.one_of(st.none(), NAMES),
        "entry_point": st.sampled_from(("web", "websecure")),
        "entry_point_tls": st.booleans(),
        "cluster_issuer": st.one_of(st.none(), NAMES),
        "controller": st.sampled_from(("traefik", "nginx", "haproxy", "openshift", "alb", "other")),
        "annotations": st.one_of(LABELS, MAPPED),
        "more_hosts": st.lists(HOSTS, max_size=2, unique=True).map(tuple),
        "more_middlewares": st.just(("traefik-office@kubernetescrd", "audit@file")),
        "class_name": NAMES,
        "gateway": st.fixed_dictionaries({"parents": st.lists(PARENT, min_size=1, max_size=2).map(tuple)}),
        "cloudflared": st.fixed_dictionaries({}, optional={"replicas": st.integers(1, 3), "origin": HOSTS}),
        "timeout_seconds": st.integers(1, 7200),
        "alb": st.just({"group": "a", "certificate_arn": "arn:aws:acm:eu-west-1:1:certificate/a"}),
    },
    "authentication": {"redis": st.just({"host": "redis.redis.svc"}), "keycloak_port": PORTS},
    "secrets": {"mode": st.sampled_from(("external-secrets", "kubernetes")), "store": NAMES},
    "network": {
        "dns_ports": st.lists(PORTS, max_size=3, unique=True).map(tuple),
        "dns_cidrs": CIDRS,
        "database_cidrs": CIDRS,
        "extra_egress": st.lists(TRAFFIC, max_size=2).map(tuple),
        "extra_ingress": st.lists(TRAFFIC, max_size=2).map(tuple),
        "dns_pod_labels": LABELS,
        "proxy": st.just({"url": "http://10.0.0.3:3128"}),
        **{f"{name}_pods": PODS for name in ("database", "artifact", "keycloak", "redis")},
        **{f"{name}_cidrs": CIDRS for name in ("artifact", "keycloak", "ingress")},
        "client_namespaces": st.lists(NAMES, max_size=2).map(tuple),
        "ingress_pod_labels": LABELS,
        "policies": st.booleans(),
    },
    "monitoring": {
        "labels": LABELS,
        "pod_labels": LABELS,
        "namespace": NAMES,
        "rules": st.booleans(),
        "alert_labels": LABELS,
        "interval": DURATIONS,
        "scrape_timeout": DURATIONS,
        "service_monitor": st.booleans(),
    },
    "delivery": {
        "name": NAMES,
        "flux_namespace": NAMES,
        "interval": DURATIONS,
        "timeout": DURATIONS,
        "credentials_secret": NAMES,
        "flux_service_account": NAMES,
        "argocd_project": NAMES,
        "path": st.sampled_from(("dist", "a/b", ".", "../x", "/dist")),
        "repository": st.sampled_from(("oci://registry.example.com/a", "ssh://git@host/a.git", "https://h/a b.git")),
    },
    "maintenance": {
        "retention_days": st.integers(0, 3650),
        "garbage_collection": st.booleans(),
        "garbage_collection_schedule": SCHEDULES,
    },
    "backup": {"target": st.sampled_from(("s3://backups/a", "s3://" + "b" * 63)), "schedule": SCHEDULES},
    "pods": {"labels": LABELS, "annotations": MAPPED},
}

SWITCHES: dict[str, dict[str, Any]] = {
    "maintenance": {"garbage_collection": True},
    "monitoring": {"rules": True, "service_monitor": True},
    "network": {"policies": True},
    "secrets": {"mode": "external-secrets"},
}
"""What the other keys of a section count with."""

TOP: dict[str, st.SearchStrategy[Any]] = {
    "release": st.sampled_from(("3.6.0", "3.17.2")),
    "instance": st.sampled_from(("mlflow", "abc", "a" * 47, "1-2", "ml-flow")),
    "name": st.sampled_from(("mlflow", "a" * 30, "team-b", "1a")),
    "namespace": NAMES,
    "labels": LABELS,
    "manage_namespace": st.booleans(),
}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """An environment file with a few keys of a few sections."""
    document: dict[str, Any] = {
        "ingress": {"host": "mlflow.example.com"},
        "authentication": {"keycloak_host": "auth.example.com"},
        **draw(st.fixed_dictionaries({}, optional=TOP)),
    }
    for section in draw(st.lists(st.sampled_from(sorted(SECTIONS)), min_size=1, max_size=4, unique=True)):
        keys = draw(st.lists(st.sampled_from(sorted(SECTIONS[section])), min_size=1, max_size=3, unique=True))
        switches = SWITCHES.get(section, {})
        on = switches if set(keys) - set(switches) else {}
        document[section] = {**document.get(section, {}), **{key: draw(SECTIONS[section][key]) for key in keys}, **on}
    return document
