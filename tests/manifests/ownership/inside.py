"""Things of a cluster: namespaces, objects, databases, host names, Redis databases."""

from tests.manifests.ownership.changes import (
    BUCKET,
    CLIENT,
    DATABASE,
    ELSEWHERE,
    NO_POLICIES,
    PREFIX,
    REDIS,
    Changes,
    Shared,
)

IN_DATA = {**DATABASE, **NO_POLICIES, "database.cluster_namespace": "data"}

SHARED: dict[str, Shared] = {
    # one cluster
    "namespace": ({"namespace": "shared"}, {"namespace": "shared"}, "namespace", "namespace shared"),
    # The namespace of an instance is named like it, unless a setting says otherwise.
    "namespace like an instance": ({}, {"namespace": "ml-one"}, "namespace", "namespace ml-one"),
    "namespace of other owners": (
        {"namespace": "shared", "manage_namespace": False},
        {"namespace": "shared", "manage_namespace": False},
        "name",
        "objects named shared/mlflow",
    ),
    "objects of databases": (
        {"database.object_name": "shared"},
        {"database.object_name": "shared"},
        "database.object_name",
        "Database postgres/shared",
    ),
    "object of the other database": (
        {"database.object_name": "shared"},
        {"database.object_name": "shared-auth"},
        "database.object_name",
        "Database postgres/shared-auth",
    ),
    # The objects lie in one namespace, whatever Cluster they are for.
    "objects of two Clusters": (
        {"database.object_name": "shared", "database.cluster": "a"},
        {"database.object_name": "shared", "database.cluster": "b"},
        "database.object_name",
        "DatabaseRole postgres/shared",
    ),
    "Secret of the role": (
        {"database.object_name": "shared", "database.role_management": "managed-roles"},
        {"database.object_name": "shared", "database.database_management": "bootstrap"},
        "database.object_name",
        "Secret postgres/shared-db-role",
    ),
    "delivery": ({"delivery.name": "shared"}, {"delivery.name": "shared"}, "delivery.name", "flux-system/shared"),
    "delivery like an instance": ({}, {"delivery.name": "ml-one"}, "delivery.name", "Application argocd/ml-one"),
    # Applications lie in the cluster of Argo CD, which ``cluster`` does not name.
    "Application in an unknown cluster": (
        {"delivery.name": "shared", "delivery.argocd_server": "https://a.example.com"},
        {"delivery.name": "shared", "delivery.argocd_server": "https://b.example.com", "cluster": "elsewhere"},
        "delivery.name",
        "Application argocd/shared",
    ),
    # one PostgreSQL
    "database": (DATABASE, DATABASE, "database.name", "database shared"),
    "database of the other store": (
        DATABASE,
        {"database.auth_name": "shared"},
        "database.auth_name",
        "database shared",
    ),
    "role": ({"database.role": "shared"}, {"database.role": "shared"}, "database.role", "role shared"),
    "database by its Service": (
        DATABASE,
        {**DATABASE, "database.host": "postgres-cluster-rw.postgres.svc"},
        "database.name",
        "database shared",
    ),
    "database by its short name": (
        {**DATABASE, **NO_POLICIES, "database.host": "db.data"},
        {**IN_DATA, "database.host": "db.data.svc.cluster.local"},
        "database.name",
        "database shared",
    ),
    "database by another domain": (
        {
            **IN_DATA,
            "database.host": "db.data.svc.corp.example.com",
            "network.cluster_domain": "corp.example.com",
        },
        {**IN_DATA, "database.host": "db.data.svc"},
        "database.name",
        "database shared",
    ),
    "database by a name in the namespace": (
        {**IN_DATA, "namespace": "data", "database.host": "db"},
        {**IN_DATA, "database.host": "db.data.svc"},
        "database.name",
        "database shared",
    ),
    "database by the full name of its Service": (
        {**DATABASE, "database.host": "postgres-cluster-rw.postgres.svc.cluster.local"},
        DATABASE,
        "database.name",
        "database shared",
    ),
    # Where a public name leads is not known, so it may lead to that very Cluster.
    "database of a Cluster by a public name": (
        DATABASE,
        {**DATABASE, "database.host": "db.example.com"},
        "database.name",
        "database shared",
    ),
    "database of two clusters": (
        {**DATABASE, "database.host": "db.example.com"},
        {**DATABASE, "database.host": "db.example.com", **ELSEWHERE},
        "database.name",
        "database shared",
    ),
    "database by the administrator's address": (
        {**DATABASE, "bootstrap.postgres_host": "db.example.com"},
        {**DATABASE, "bootstrap.postgres_host": "db.example.com", **ELSEWHERE},
        "database.name",
        "database shared",
    ),
    # the rest
    "host": (
        {"ingress.host": "a.example.com"},
        {"ingress.host": "a.example.com"},
        "ingress.host",
        "host a.example.com",
    ),
    # A public name leads to one of the two clusters only.
    "host of two clusters": (
        {"ingress.host": "a.example.com"},
        {"ingress.host": "a.example.com", **ELSEWHERE},
        "ingress.host",
        "host a.example.com",
    ),
    # An Ingress routes by the host; the port is the controller's.
    "host by two ports of one cluster": (
        {"ingress.host": "a.example.com"},
        {"ingress.host": "a.example.com", "ingress.public_port": 8443},
        "ingress.host",
        "host a.example.com",
    ),
    "Redis database": (REDIS, REDIS, "authentication.redis.database", "Redis database 0"),
    "Redis database by a short name": (
        REDIS,
        {"authentication.redis": {"host": "redis.redis"}},
        "authentication.redis.database",
        "Redis database 0",
    ),
}

APART: dict[str, tuple[Changes, Changes]] = {
    "two instances of one cluster": ({}, {}),
    "two instances of two clusters": ({}, ELSEWHERE),
    "one namespace in two clusters": ({"namespace": "shared"}, {"namespace": "shared", **ELSEWHERE}),
    "one set of objects in two clusters": (
        {"database.object_name": "shared", "delivery.name": "shared"},
        {"database.object_name": "shared", "delivery.name": "shared", **ELSEWHERE},
    ),
    "one set of objects in two namespaces": (
        {"database.object_name": "shared"},
        {"database.object_name": "shared", "database.cluster_namespace": "data"},
    ),
    "one role's name without a Secret": (
        {"database.object_name": "shared", "database.database_management": "bootstrap"},
        {
            "database.object_name": "shared",
            "database.role_management": "bootstrap",
        },
    ),
    "delivery by two tools": (
        {"delivery.name": "shared", "delivery.tools": ("flux",)},
        {"delivery.name": "shared", "delivery.tools": ("argocd",)},
    ),
    "one database of two Clusters": (
        {**DATABASE, "database.cluster": "a"},
        {**DATABASE, "database.cluster": "b"},
    ),
    # Each cluster has a Service of this name.
    "one database of the same Service in two clusters": (DATABASE, {**DATABASE, **ELSEWHERE}),
    # A forwarded port of someone's machine says nothing about the server behind it.
    "one database by a forwarded port": (
        {**DATABASE, "bootstrap.postgres_host": "localhost", "bootstrap.postgres_port": 5432},
        {**DATABASE, "bootstrap.postgres_host": "127.0.0.1", "bootstrap.postgres_port": 5432, **ELSEWHERE},
    ),
    "one database at two ports": (
        {**DATABASE, "database.host": "a.example.com", "database.cluster": "a"},
        {**DATABASE, "database.host": "a.example.com", "database.port": 5433, "database.cluster": "b"},
    ),
    "a role named like a database": ({"database.role": "shared"}, DATABASE),
    "one host at two ports of two clusters": (
        {"ingress.host": "a.example.com"},
        {"ingress.host": "a.example.com", "ingress.public_port": 8443, **ELSEWHERE},
    ),
    "localhost of two machines": ({"ingress.host": "localhost"}, {"ingress.host": "localhost", **ELSEWHERE}),
    "two databases of Redis": (REDIS, {"authentication.redis": {"host": "redis.redis.svc", "database": 1}}),
    "one name for everything in a space of its own": (
        {"namespace": "shared", **CLIENT, **BUCKET, **PREFIX, **DATABASE},
        {},
    ),
}
