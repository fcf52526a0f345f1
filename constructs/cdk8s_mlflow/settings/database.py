"""Where MLflow's two databases are and what creates them."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from cdk8s_mlflow.settings.addresses import Host
from cdk8s_mlflow.settings.instance import follows_instance
from cdk8s_mlflow.settings.section import Conflict, DnsLabel, DnsName, Port, Section, at_least, matching

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""Any legal PostgreSQL name: up to 63 bytes, no control characters."""

ObjectName = Annotated[
    str, matching(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?", "mlflow (at most 52 letters, digits and '-')")
]


SslMode = Literal["verify-full", "verify-ca", "require", "disable"]


class DatabaseSettings(Section):
    """The PostgreSQL server, the role and the databases of the tracking server and of its permissions."""

    cluster: DnsLabel = "postgres-cluster"
    """Name of the CloudNativePG Cluster, unless ``host`` and bootstrap.py do without it."""

    cluster_namespace: DnsLabel = "postgres"
    """Namespace of the Cluster; its Databases, role and the role's Secret must be there too."""

    cnpg_version: Annotated[str, matching(r"1\.[0-9]{1,2}(\.[0-9]+)?", "1.30")] = "1.30"
    """Version of the CloudNativePG operator, if it creates anything; DatabaseRole needs 1.30, Database 1.25."""

    host: Host | None = None
    """Host of PostgreSQL; by default the Cluster's read-write Service."""

    port: Port = 5432
    """Port of PostgreSQL."""

    object_name: ObjectName = follows_instance("{instance}")
    """Name of our objects in the Cluster's namespace; two of them are NAME-auth and NAME-db-role."""

    name: Identifier = follows_instance("{identifier}")
    """Database of the backend store."""

    auth_name: Identifier = follows_instance("{identifier}_auth")
    """Database of users and permissions; never the same as ``name``, both keep a table alembic_version."""

    role: Identifier = follows_instance("{identifier}")
    """Role that owns both databases and logs in."""

    role_management: Literal["database-role", "managed-roles", "bootstrap"] = "database-role"
    """What creates the role: a DatabaseRole object, the Cluster's spec.managed.roles, or bootstrap.py."""

    database_management: Literal["cnpg", "bootstrap"] = "cnpg"
    """What creates the databases: CloudNativePG Database objects, or bootstrap.py."""

    reclaim_policy: Literal["retain", "delete"] = "retain"
    """What happens to databases and role when their objects are deleted; delete also lifts the pruning guards."""

    sslmode: SslMode = "verify-full"
    """How libpq checks the server's certificate."""

    ca: Literal["store", "system"] = "store"
    """Who vouches for the certificate: ca_crt beside the password in the secret store, or the public roots."""

    client_certificate: DnsName | None = None
    """Secret of our namespace with the role's certificate (tls.crt, tls.key), which replaces its password."""

    connect_timeout_seconds: Annotated[int, Field(ge=2, le=120)] = 10
    """Seconds until a connection attempt fails."""

    pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    """Connections that a worker keeps open to a database."""

    max_overflow: Annotated[int, Field(ge=0, le=100)] = 5
    """Connections that a worker may open beyond its pool."""

    max_connections: Annotated[int, Field(ge=10, le=10000)] = 100
    """Connections that PostgreSQL grants to MLflow; the pools of all workers must fit."""

    @property
    def address(self) -> str:
        """Host name that the certificate of the Cluster's read-write Service bears."""
        return self.host or f"{self.cluster}-rw.{self.cluster_namespace}.svc"

    @property
    def role_secret(self) -> str:
        """Secret with the role's password, where CloudNativePG reads it."""
        return f"{self.object_name}-db-role"

    @property
    def issues_client_certificate(self) -> bool:
        """Whether CloudNativePG is to issue the certificate: its Secret has the name that a DatabaseRole's has.

        Source: CloudNativePG documentation, "PostgreSQL Role management".
        """
        own_name = f"{self.object_name}-client-cert"
        return self.role_management == "database-role" and self.client_certificate == own_name

    @property
    def backup_name(self) -> str:
        """ScheduledBackup, ObjectStore and its Secret, in the Cluster's namespace."""
        return f"{self.object_name}-backup"

    @property
    def verifies_certificate(self) -> bool:
        """Whether libpq needs to know an authority."""
        return self.sslmode in ("verify-full", "verify-ca")

    @property
    def uses_stored_ca(self) -> bool:
        """Whether the authority's certificate comes with the password from the secret store."""
        return self.verifies_certificate and self.ca == "store"


class MigrationSettings(Section):
    """The Job that brings both databases to the release's schema."""

    run: Annotated[int, Field(ge=1)] = 1
    """Number that creates a new Job; raise it to run a failed migration again."""

    deadline_seconds: Annotated[int, Field(ge=60, le=604800)] = 86400
    """Seconds until the Job is given up, waiting for its Secrets included."""

    wait_seconds: Annotated[int, Field(ge=10, le=3600)] = 300
    """Seconds that one attempt waits for PostgreSQL, and a new pod for the schema."""

    maximum_lock_seconds: Annotated[int, Field(ge=1, le=604800)] = 600
    """Longest time, by estimate, for which an upgrade may lock all tables; else the Job fails and changes nothing."""


def database_conflicts(database: DatabaseSettings) -> Iterator[Conflict]:
    """What cannot hold together, by dotted key."""
    if database.name == database.auth_name:
        yield "database.auth_name", f"is {database.name} too; the two stores need a database each, name another"
    for key, name in (("database.name", database.name), ("database.auth_name", database.auth_name)):
        if name in ("postgres", "template0", "template1"):
            yield key, f"is {name}, which PostgreSQL keeps for itself; name another"
        # Bytes: PostgreSQL cuts a longer name off without an error, and two may become one.
        if len(name.encode()) > 63:
            yield key, "is longer than the 63 bytes that PostgreSQL allows; shorten it"
    if database.role in ("postgres", "streaming_replica", "cnpg_pooler_pgbouncer") or database.role.startswith("pg_"):
        yield "database.role", f"is {database.role}, which the Cluster keeps for itself; name another"
    if database.client_certificate and database.sslmode == "disable":
        yield (
            "database.client_certificate",
            f"is {database.client_certificate}, but database.sslmode is disable and a certificate is shown in a TLS "
            "handshake; use verify-full",
        )
    yield from _old_operators(database)


def _old_operators(database: DatabaseSettings) -> Iterator[Conflict]:
    if database.role_management == "database-role" and not at_least(database.cnpg_version, 1, 30):
        yield (
            "database.role_management",
            f"is database-role, which needs CloudNativePG 1.30, but database.cnpg_version is {database.cnpg_version}; "
            "use managed-roles or bootstrap",
        )
    if database.database_management == "cnpg" and not at_least(database.cnpg_version, 1, 25):
        yield (
            "database.database_management",
            f"is cnpg, which needs CloudNativePG 1.25, but database.cnpg_version is {database.cnpg_version}; "
            "use bootstrap",
        )
