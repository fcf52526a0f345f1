"""Random settings, of which most are valid: what a platform team may set, extremes included."""

from typing import Any

from hypothesis import strategies as st

QUANTITIES = ("1m", "100m", "500m", "1", "1.5", "2", "64Mi", "256Mi", "700M", "1Gi", "2Gi", "4Gi", "1Ti")
CPU = st.sampled_from(("1m", "100m", "250m", "0.5", "1", "1.5", "2", "64"))
MEMORY = st.sampled_from(("64Mi", "256Mi", "512Mi", "700M", "1Gi", "2Gi", "4Gi", "1Ti"))
LABELS = st.dictionaries(
    st.sampled_from(("team", "example.com/cost", "a" * 63, "x" * 253 + "/y", "A.b_c-1")),
    st.sampled_from(("", "a", "a" * 63, "1", "true", "0x1", "A.b_c-1", "-a", "a b")),
    max_size=2,
)
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
        "termination_grace_seconds": st.sampled_from((10, 60, 3600)),
        "user_id": st.sampled_from((10000, 2_000_000_000)),
        "max_surge": st.integers(0, 2),
        "max_unavailable": st.integers(0, 2),
    },
    "image": {"tag": NAMES, "pull_secrets": st.lists(NAMES, max_size=2, unique=True).map(tuple)},
    "database": {"cluster": NAMES, "object_name": NAMES, "name": NAMES, "max_connections": st.just(10000)},
    "artifacts": {"bucket": NAMES, "prefix": NAMES, "checksums": st.just("when_required")},
    "ingress": {
        "public_port": PORTS,
        "tls_secret": NAMES,
        "cluster_issuer": st.one_of(st.none(), NAMES),
        "controller": st.sampled_from(("traefik", "nginx", "haproxy", "openshift")),
        "annotations": LABELS,
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
    },
    "monitoring": {"labels": LABELS, "pod_labels": LABELS, "namespace": NAMES},
    "delivery": {"name": NAMES, "flux_namespace": NAMES},
    "maintenance": {"retention_days": st.integers(0, 3650), "garbage_collection": st.booleans()},
    "backup": {"target": st.sampled_from(("s3://backups/a", "s3://" + "b" * 63))},
    "pods": {"labels": LABELS},
}

TOP: dict[str, st.SearchStrategy[Any]] = {
    "release": st.sampled_from(("3.6.0", "3.17.2")),
    "instance": st.sampled_from(("mlflow", "abc", "a" * 47, "1-2", "ml-flow")),
    "namespace": NAMES,
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
        document[section] = {**document.get(section, {}), **{key: draw(SECTIONS[section][key]) for key in keys}}
    return document
