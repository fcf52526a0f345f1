"""What manifests, Secrets, bootstrap and image agree on: names, mount points, and what each Secret is made of.

Nothing here depends on cdk8s, so that the bootstrap can write the very Secrets that an ExternalSecret would create.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.backup import ClusterBackupSettings
from cdk8s_mlflow.settings.database import DatabaseSettings
from cdk8s_mlflow.settings.instance import INSTANCE_LABEL as INSTANCE_LABEL

SECRETS_ROOT = "/var/run/secrets/mlflow"
"""Folder under which the image's programs find the mounted Secrets."""

CONTAINER = "mlflow"
"""Name of the server's container, in every installation."""

ACCOUNT_KEY = "AZURE_STORAGE_ACCESS_KEY"
"""Key of the Secret with the key of a storage account."""

GOOGLE_KEY = "key.json"
"""Key of the Secret with the key of a service account of Google."""

HTTP_PORT = 5000
METRICS_PORT = 9090


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretTemplate:
    """One Kubernetes Secret: which fields of the store it reads, and what it makes of them.

    ``data`` maps a key of the Secret to a text in which ``{{ .field }}`` stands for a field of the store's entry;
    External Secrets renders it with Go's text/template, :meth:`render` does the same for these placeholders.
    """

    name: str
    namespace: str
    entry: str
    """Entry of the store, below the prefix."""
    fields: tuple[str, ...]
    data: Mapping[str, str]
    mount: str | None = None
    """Folder below ``SECRETS_ROOT``; None for a Secret that no pod mounts."""
    part: Literal["application", "database"] = "application"
    """Folder of ``dist/ENVIRONMENT/`` that it is delivered with."""
    type: str = "Opaque"
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def render(self, values: Mapping[str, str]) -> dict[str, str]:
        """The Secret's data for the entry's ``values``.

        Raises:
            KeyError: a field of the entry has no value.
        """
        return {key: _substitute(text, {name: values[name] for name in self.fields}) for key, text in self.data.items()}


def _substitute(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        # Not a template engine, which bootstrap would have to bring: the templates hold nothing but these placeholders.
        text = text.replace(placeholder(name), value)
    return text


def placeholder(field_name: str) -> str:
    """How a template names a field of the store's entry."""
    return "{{ ." + field_name + " }}"


def secret_templates(settings: Settings) -> tuple[SecretTemplate, ...]:
    """Every Secret that this environment needs, in the order in which a reader meets them."""
    templates = [_database_secret(settings)]
    if settings.artifacts.credentials == "keys":
        templates.append(_store_secret(settings))
    # Both exist in every environment: login is not optional, and each release has a SECRET_KEY at least.
    templates += [_oidc_secret(settings), _server_secret(settings)]
    if settings.authentication.directory_client:
        templates.append(_directory_secret(settings))
    if settings.backup.target and settings.backup.credentials == "keys":
        templates.append(_backup_secret(settings))
    # Bootstrap sets the password itself, so no operator of PostgreSQL has to read it from a Secret.
    if settings.database.role_management != "bootstrap" and not settings.database.client_certificate:
        templates.append(_role_secret(settings))
    cluster = settings.backup.cluster
    if cluster and cluster.target and cluster.credentials == "keys":
        templates.append(_cluster_backup_secret(settings, cluster))
    if settings.ingress.cloudflared:
        templates.append(_tunnel_secret(settings))
    # The ExternalSecret's template and bootstrap's own Secrets
    # need the mark alike; a chart labels only the ExternalSecret.
    mark = {INSTANCE_LABEL: settings.instance}
    return tuple(replace(template, labels={**template.labels, **mark}) for template in templates)


def _database_secret(settings: Settings) -> SecretTemplate:
    own_ca = settings.database.uses_stored_ca
    login = ("username",) if settings.database.client_certificate else ("username", "password")
    return SecretTemplate(
        name=f"{settings.name}-db-secret",
        namespace=settings.namespace,
        entry="postgres",
        fields=(*login, *(("ca_crt",) if own_ca else ())),
        data={
            **{name: placeholder(name) for name in login},
            "pg_service.conf": _service_file(settings),
            **({"ca.crt": placeholder("ca_crt")} if own_ca else {}),
        },
        mount="db",
    )


def _service_file(settings: Settings) -> str:
    """libpq's connection service file: values run to the end of the line, so nothing needs escaping.

    Source: PostgreSQL documentation, "The Connection Service File".
    """
    sections = {"mlflow": settings.database.name, "mlflow_auth": settings.database.auth_name}
    return "\n".join(_service(settings, section, name) for section, name in sections.items())


def _service(settings: Settings, section: str, database_name: str) -> str:
    database = settings.database
    lines = [
        f"[{section}]",
        f"host={database.address}",
        f"port={database.port}",
        f"dbname={database_name}",
        f"user={placeholder('username')}",
        *_proof(database),
        f"connect_timeout={database.connect_timeout_seconds}",
        f"sslmode={database.sslmode}",
    ]
    # Without a root libpq looks for ~/.postgresql/root.crt; `system`
    # means the roots of the machine (PostgreSQL 16, libpq).
    if database.verifies_certificate:
        lines.append(f"sslrootcert={f'{SECRETS_ROOT}/db/ca.crt' if database.uses_stored_ca else 'system'}")
    return "\n".join(lines) + "\n"


def _proof(database: DatabaseSettings) -> list[str]:
    """What proves who logs in.

    Source: PostgreSQL documentation, "SSL Support"; the key's file may be readable by its group, since root owns it.
    """
    if database.client_certificate is None:
        return [f"password={placeholder('password')}"]
    return [f"sslcert={SECRETS_ROOT}/db/tls.crt", f"sslkey={SECRETS_ROOT}/db/tls.key"]


def _store_secret(settings: Settings) -> SecretTemplate:
    """What opens the store of artifacts."""
    if settings.artifacts.is_azure:
        return _cloud_secret(settings, "azure", "account_key", ACCOUNT_KEY)
    if settings.artifacts.is_gcs:
        return _cloud_secret(settings, "gcs", "service_account_key", GOOGLE_KEY)
    return _artifact_secret(settings)


def _artifact_secret(settings: Settings) -> SecretTemplate:
    key, secret = placeholder("accesskey"), placeholder("secretkey")
    return SecretTemplate(
        name=f"{settings.name}-s3-secret",
        namespace=settings.namespace,
        entry="s3",
        fields=("accesskey", "secretkey"),
        data={
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            # boto3 reads keys from a file of this form, so that none stands in the environment of the server.
            "credentials": f"[default]\naws_access_key_id={key}\naws_secret_access_key={secret}\n",
        },
        mount="s3",
    )


def _cloud_secret(settings: Settings, entry: str, field_name: str, key: str) -> SecretTemplate:
    return SecretTemplate(
        name=f"{settings.name}-{entry}-secret",
        namespace=settings.namespace,
        entry=entry,
        fields=(field_name,),
        data={key: placeholder(field_name)},
        mount=entry,
    )


def _oidc_secret(settings: Settings) -> SecretTemplate:
    return SecretTemplate(
        name=f"{settings.name}-oidc-config",
        namespace=settings.namespace,
        entry="oidc",
        fields=("client_id", "client_secret"),
        data={"OIDC_CLIENT_ID": placeholder("client_id"), "OIDC_CLIENT_SECRET": placeholder("client_secret")},
        mount="oidc",
    )


def _directory_secret(settings: Settings) -> SecretTemplate:
    """Login of the client that looks users up; only the CronJob that ends access mounts it."""
    return SecretTemplate(
        name=f"{settings.name}-directory-client",
        namespace=settings.namespace,
        entry="directory",
        fields=("client_id", "client_secret"),
        data={"DIRECTORY_CLIENT_ID": placeholder("client_id"), "DIRECTORY_CLIENT_SECRET": placeholder("client_secret")},
        mount="directory",
    )


def _backup_secret(settings: Settings) -> SecretTemplate:
    """Keys of the bucket that holds dumps; only the pods that dump mount it."""
    return SecretTemplate(
        name=f"{settings.name}-backup-secret",
        namespace=settings.namespace,
        entry="backup",
        fields=("accesskey", "secretkey"),
        data={"AWS_ACCESS_KEY_ID": placeholder("accesskey"), "AWS_SECRET_ACCESS_KEY": placeholder("secretkey")},
        mount="backup",
    )


def _server_secret(settings: Settings) -> SecretTemplate:
    keys = settings.server_keys
    return SecretTemplate(
        name=f"{settings.name}-server-secret",
        namespace=settings.namespace,
        entry="server",
        fields=tuple(key.field for key in keys),
        # The names of the variables are the keys, since `mlflow-sso
        # serve` sets each file's content as the variable of its name.
        data={key.variable: placeholder(key.field) for key in keys},
        mount="server",
    )


def _role_secret(settings: Settings) -> SecretTemplate:
    """The role's password where CloudNativePG reads it; the label makes a changed password take effect.

    Source: CloudNativePG documentation, "Database Role Management".
    """
    return SecretTemplate(
        name=settings.database.role_secret,
        namespace=settings.database.cluster_namespace,
        entry="postgres",
        fields=("username", "password"),
        data={"username": placeholder("username"), "password": placeholder("password")},
        part="database",
        type="kubernetes.io/basic-auth",
        labels={"cnpg.io/reload": "true"},
    )


def _cluster_backup_secret(settings: Settings, cluster: ClusterBackupSettings) -> SecretTemplate:
    """Keys of the bucket that holds the Cluster's backups, where its pods read them."""
    return SecretTemplate(
        name=settings.database.backup_name,
        namespace=settings.database.cluster_namespace,
        entry="barman",
        fields=("accesskey", "secretkey"),
        data={
            "ACCESS_KEY_ID": placeholder("accesskey"),
            "ACCESS_SECRET_KEY": placeholder("secretkey"),
            # No field of the store: the plugin wants the region in the same Secret.
            "REGION": cluster.region or settings.artifacts.region,
        },
        part="database",
        labels={"cnpg.io/reload": "true"},
    )


def has_database_objects(settings: Settings) -> bool:
    """Whether anything stands in ``database/``; false where others make role, databases, backups and Secrets."""
    database = settings.database
    if settings.backup.cluster:
        return True
    # The owner of the Cluster adds the role, but CloudNativePG reads its password from a Secret in that namespace.
    has_role_secret = database.role_management == "managed-roles" and not database.client_certificate
    mirrors_password = has_role_secret and settings.secrets.mode == "external-secrets"
    return database.database_management == "cnpg" or database.role_management == "database-role" or mirrors_password


def tunnel_secret(settings: Settings) -> str:
    """Name of the Secret with the tunnel's token."""
    return f"{settings.name}-cloudflared"


def _tunnel_secret(settings: Settings) -> SecretTemplate:
    return SecretTemplate(
        name=tunnel_secret(settings),
        namespace=settings.namespace,
        entry="cloudflared",
        fields=("token",),
        data={"token": placeholder("token")},
    )
