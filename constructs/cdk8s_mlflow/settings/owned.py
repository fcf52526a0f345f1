"""What an environment owns outside its own objects: one record for each thing that another might own, too."""

from collections.abc import Iterator
from dataclasses import dataclass

from cdk8s_mlflow.settings import servers
from cdk8s_mlflow.settings.section import Section
from cdk8s_mlflow.settings.validated import Settings

IN_CLUSTER_API = "https://kubernetes.default.svc"
"""Argo CD's name for the cluster that it runs in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """One thing, such as a database; two are the same if kind and name are equal and they are in the same place."""

    kind: str
    name: str
    places: servers.Places | None
    """Where it is; None if that is not known, so that it may be anywhere."""
    key: str
    """Setting that names it."""
    follows: bool = False
    """Whether nothing sets ``key``, so that the name follows from the instance."""
    where: str = ""
    """Where it is, for a reader."""

    def is_same(self, other: "Owned") -> bool:
        """Whether both are one thing, or one lies in the other."""
        if self.group != other.group or not self._overlaps(other):
            return False
        return self.places is None or other.places is None or bool(self.places & other.places)

    @property
    def group(self) -> tuple[str, str]:
        """What things that may be the same have in common; dumps may lie in the bucket of another's artifacts."""
        if self.kind in (BUCKET, DUMPS):
            return BUCKET, self._path.split("/")[2]
        return self.kind, "" if self.kind == STORE_PATH else self.name

    @property
    def _path(self) -> str:
        return f"s3://{self.name}" if self.kind == BUCKET else self.name

    def _overlaps(self, other: "Owned") -> bool:
        # With a closing slash: s3://a/mlflow is not within s3://a/ml.
        longer, shorter = sorted((f"{self._path}/", f"{other._path}/"), key=len, reverse=True)
        return longer.startswith(shorter)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}{self.where}"


STORE_PATH = "store path"
"""Kind of the path that all entries of an environment lie below."""

DUMPS = "folder of backups"
"""Kind of ``backup.target`` and ``backup.cluster.target``, where the retention of one would delete another's."""

NAMESPACE = "namespace"
INSIDE_NAMESPACE = frozenset({"objects named", "certificate"})
"""Kinds of what two namespaces would keep apart."""

BUCKET = "bucket"
"""Kind of the bucket of artifacts, which holds nothing of another environment."""

IN = "in cluster "


def owned_things(settings: Settings, environment: str) -> Iterator[Owned]:
    """Everything that the deployment of the file ``environment`` owns in spaces that it may share with others."""
    yield from _kubernetes(settings)
    yield from _delivery(settings, environment)
    yield from _postgres(settings)
    yield from _object_store(settings)
    yield from _dumps(settings)
    yield from _keycloak(settings)
    yield from _store(settings)
    yield from _public_address(settings)


def _cluster(settings: Settings) -> servers.Places:
    return frozenset({f"{IN}{settings.cluster}"})


def _follows(settings: Settings, key: str) -> bool:
    *above, name = key.split(".")
    section: Section = getattr(settings, above[0]) if above else settings
    # null is as good as unset: the name follows from the instance then.
    return name not in section.model_fields_set or getattr(section, name) is None


def _kubernetes(settings: Settings) -> Iterator[Owned]:
    database = settings.database
    where = f" {IN}{settings.cluster}"
    yield from _namespace(settings, where)
    names = {
        **({"Database": ("", "-auth")} if database.database_management == "cnpg" else {}),
        **({"DatabaseRole": ("",)} if database.role_management == "database-role" else {}),
        "Secret": (
            *(("-db-role",) if database.role_management != "bootstrap" else ()),
            *(("-backup",) if settings.backup.cluster and settings.backup.cluster.target else ()),
        ),
        **({"ScheduledBackup": ("-backup",)} if settings.backup.cluster else {}),
    }
    for kind, endings in names.items():
        for ending in endings:
            yield Owned(
                kind=kind,
                name=f"{database.cluster_namespace}/{database.object_name}{ending}",
                places=_cluster(settings),
                key="database.object_name",
                follows=_follows(settings, "database.object_name"),
                where=where,
            )


def _namespace(settings: Settings, where: str) -> Iterator[Owned]:
    """The Namespace, and what has a name in it; several installations may share one that another team writes."""
    named = {"objects named": (settings.name, "name")}
    certificate = settings.ingress.certificate_secret
    if settings.ingress.issuer and certificate:
        named["certificate"] = (certificate, "ingress.tls_secret")
    if settings.manage_namespace:
        follows = _follows(settings, "namespace")
        yield Owned(
            kind=NAMESPACE,
            name=settings.namespace,
            places=_cluster(settings),
            key="namespace",
            follows=follows,
            where=where,
        )
    for kind, (name, key) in named.items():
        yield Owned(
            kind=kind,
            name=f"{settings.namespace}/{name}",
            places=_cluster(settings),
            key=key,
            follows=_follows(settings, "namespace") and _follows(settings, key),
            where=where,
        )


def _delivery(settings: Settings, environment: str) -> Iterator[Owned]:
    delivery, name = settings.delivery, settings.delivery_name(environment)
    here, where = _cluster(settings), f" {IN}{settings.cluster}"
    elsewhere = delivery.argocd_server != IN_CLUSTER_API
    objects = {
        **({"Flux source": (delivery.flux_namespace, here)} if "flux" in delivery.tools else {}),
        **(
            {"Application": (delivery.argocd_namespace, None if elsewhere else here)}
            if "argocd" in delivery.tools
            else {}
        ),
    }
    for kind, (namespace, places) in objects.items():
        yield Owned(
            kind=kind,
            name=f"{namespace}/{name}",
            places=places,
            key="delivery.name",
            follows=delivery.name is None,
            where=where if places else "",
        )


def _postgres(settings: Settings) -> Iterator[Owned]:
    database, places = settings.database, servers.postgres(settings)
    for kind, name, key in (
        ("database", database.name, "database.name"),
        ("database", database.auth_name, "database.auth_name"),
        ("role", database.role, "database.role"),
    ):
        where = f" of PostgreSQL at {database.address}"
        yield Owned(kind=kind, name=name, places=places, key=key, follows=_follows(settings, key), where=where)


def _dumps(settings: Settings) -> Iterator[Owned]:
    backup = settings.backup
    if backup.target:
        yield Owned(kind=DUMPS, name=backup.target, places=servers.dumps(settings), key="backup.target")
    if backup.cluster and backup.cluster.target:
        places = servers.cluster_backups(settings, backup.cluster)
        yield Owned(kind=DUMPS, name=backup.cluster.target, places=places, key="backup.cluster.target")


def _object_store(settings: Settings) -> Iterator[Owned]:
    artifacts, places = settings.artifacts, servers.object_store(settings)
    names = [(BUCKET, artifacts.bucket, "artifacts.bucket")]
    if artifacts.kind == "minio":
        names += [("user", name, "artifacts.user") for name in (artifacts.user, artifacts.second_user)]
        names += [("policy", artifacts.policy, "artifacts.policy")]
    for kind, name, key in names:
        where = f" at {artifacts.endpoint or 'AWS'}"
        yield Owned(kind=kind, name=name, places=places, key=key, follows=_follows(settings, key), where=where)


def _keycloak(settings: Settings) -> Iterator[Owned]:
    login, places = settings.authentication, servers.keycloak(settings)
    realm = frozenset(f"realm {login.realm} at {place}" for place in places)
    for kind, name, field in (
        ("client", login.client_id, "client_id"),
        ("client", login.machine_client, "machine_client"),
        ("client", login.directory_client, "directory_client"),
        ("client scope", login.groups_scope, "groups_scope"),
    ):
        key, where = f"authentication.{field}", f" in realm {login.realm} of {login.keycloak_url}"
        if name is not None:
            follows = _follows(settings, key)
            yield Owned(kind=kind, name=name, places=realm, key=key, follows=follows, where=where)
    if login.redis:
        yield Owned(
            kind="Redis database",
            name=str(login.redis.database),
            places=servers.redis(settings),
            key="authentication.redis.database",
            where=f" at {login.redis.host}",
        )


def _store(settings: Settings) -> Iterator[Owned]:
    secrets = settings.secrets
    if secrets.mode != "external-secrets":
        return
    mount = secrets.vault_mount
    places = servers.url(secrets.vault_address, settings) if secrets.vault_address else None
    yield Owned(
        kind=STORE_PATH,
        name=f"{mount}/{secrets.vault_prefix}",
        places=places,
        key="secrets.vault_prefix",
        follows=_follows(settings, "secrets.vault_prefix"),
        where=f" at {secrets.vault_address}" if secrets.vault_address else "",
    )


def _public_address(settings: Settings) -> Iterator[Owned]:
    """In one cluster the Ingress routes only by host; elsewhere another port may lead to another cluster."""
    ingress = settings.ingress
    for host in ingress.hosts:
        loopback = host == "localhost" or host.endswith(".localhost")
        public = set() if loopback else {f"port {ingress.public_port}"}
        key = "ingress.host" if host == ingress.host else "ingress.more_hosts"
        yield Owned(kind="host", name=host, places=frozenset(public | _cluster(settings)), key=key)
