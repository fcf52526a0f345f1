"""The environment variables of every container of ours; nothing secret, so that a review sees them all."""

import json
from collections.abc import Callable, Mapping

from cdk8s_mlflow.contract import ACCOUNT_KEY, GOOGLE_KEY, SECRETS_ROOT
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.section import in_bytes


def database_environment() -> dict[str, str]:
    """How to find both databases: a libpq service file, so that nothing is escaped and no password stands in a URI.

    The driver is named because SQLAlchemy 2.1 reads a bare ``postgresql://`` as psycopg 3.
    """
    return {
        "PGSERVICEFILE": f"{SECRETS_ROOT}/db/pg_service.conf",
        "MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2:///?service=mlflow",
        "OIDC_USERS_DB_URI": "postgresql+psycopg2:///?service=mlflow_auth",
    }


def pool_environment(settings: Settings) -> dict[str, str]:
    """How many connections a worker keeps; only the server has a pool, so a new size starts no new migration."""
    return {
        # Of the tracking database; the pool of the permissions database has variables of its own on 3.17.2.
        "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": str(settings.database.pool_size),
        "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": str(settings.database.max_overflow),
    }


def artifact_environment(settings: Settings) -> dict[str, str]:
    """How to find the bucket: clients send artifacts to the server; only it may read and write them."""
    artifacts = settings.artifacts
    proxied = {
        "MLFLOW_ARTIFACTS_DESTINATION": artifacts.destination,
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "MLFLOW_SERVE_ARTIFACTS": "true",
    }
    if artifacts.is_azure:
        file = f"{SECRETS_ROOT}/azure/{ACCOUNT_KEY}"
        return {**proxied, **({"MLFLOW_SSO_BLOB_KEY_FILE": file} if artifacts.credentials == "keys" else {})}
    if artifacts.is_gcs:
        return {**proxied, **_google_client(settings)}
    keys = {"AWS_SHARED_CREDENTIALS_FILE": f"{SECRETS_ROOT}/s3/credentials"}
    return {
        **proxied,
        # boto3 signs requests with a region, whichever S3 they go to.
        "AWS_DEFAULT_REGION": artifacts.region,
        **({"MLFLOW_S3_ENDPOINT_URL": artifacts.endpoint} if artifacts.endpoint else {}),
        **(keys if artifacts.credentials == "keys" else {}),
        **_s3_dialect(settings),
    }


def _google_client(settings: Settings) -> dict[str, str]:
    artifacts = settings.artifacts
    named = {"MLFLOW_SSO_GCS_KEY_FILE": f"{SECRETS_ROOT}/gcs/{GOOGLE_KEY}"}
    return {
        # Said outright, since GKE sets no variable by which an identity could be told from a missing key.
        **({"MLFLOW_SSO_GCS_IDENTITY": "true"} if settings.uses_gke_identity else named),
        **({"MLFLOW_SSO_GCS_ENDPOINT": artifacts.endpoint} if artifacts.endpoint else {}),
    }


def _s3_dialect(settings: Settings) -> dict[str, str]:
    """How to ask an S3 that needs other than boto3's defaults."""
    artifacts = settings.artifacts
    checksums = dict.fromkeys(
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"), artifacts.checksums
    )
    # Sorted, so that the order in a settings file does not roll the pods.
    upload = json.dumps(artifacts.upload_arguments, sort_keys=True)
    return {
        # when_supported is boto3's own default.
        **(checksums if artifacts.checksums != "when_supported" else {}),
        **({"MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": artifacts.addressing} if artifacts.addressing != "auto" else {}),
        **({"MLFLOW_S3_UPLOAD_EXTRA_ARGS": upload} if artifacts.upload_arguments else {}),
    }


def process_environment(settings: Settings) -> dict[str, str]:
    """What any Python process of ours wants: one writable folder, no telemetry, no search for git, the proxy."""
    return {
        **proxy_environment(settings),
        "HOME": "/tmp",  # noqa: S108  (an emptyDir is mounted there)
        "TMPDIR": "/tmp",  # noqa: S108
        "GIT_PYTHON_REFRESH": "quiet",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }


def proxy_environment(settings: Settings) -> dict[str, str]:
    """The forward proxy for https; Services of the cluster are reached directly."""
    proxy = settings.network.proxy
    if proxy is None:
        return {}
    # Names of Services end in one of these; requests and urllib match a name by its end.
    services = (".svc", f".{settings.network.cluster_domain}")
    # The proxy does not know our pods' own hosts file.
    aliases = [name for names in settings.pods.host_aliases.values() for name in names]
    direct = ("localhost", "127.0.0.1", *services, *proxy.no_proxy, *aliases)
    return {"HTTPS_PROXY": proxy.url.rstrip("/"), "NO_PROXY": ",".join(dict.fromkeys(direct))}


def login_environment(settings: Settings) -> dict[str, str]:
    """Single sign-on by Keycloak.

    The scope is separated by spaces, which both releases take; Keycloak refuses commas.
    """
    login, uris = settings.authentication, settings.ingress.redirect_uris
    return {
        **group_environment(settings),
        "OIDC_ISSUER": login.issuer,
        "OIDC_AUDIENCE": login.client_id,
        # Else 3.17.2 derives it from the Host header, which its /login takes from anyone.
        "OIDC_REDIRECT_URI": settings.ingress.redirect_uri,
        "OIDC_CLIENT_ID": login.client_id,
        "OIDC_SCOPE": f"openid profile email {login.groups_scope}",
        "OIDC_GROUPS_ATTRIBUTE": login.groups_claim,
        "OIDC_PROVIDER_DISPLAY_NAME": login.provider_name,
        "DEFAULT_MLFLOW_PERMISSION": login.default_permission,
        "AUTOMATIC_LOGIN_REDIRECT": str(login.automatic_login_redirect).lower(),
        "DEFAULT_LANDING_PAGE_IS_PERMISSIONS": str(login.land_on_permissions).lower(),
        **({"MLFLOW_SSO_ACCEPT_OLD_TOKENS": "true"} if login.accept_old_tokens else {}),
        **({"MLFLOW_SSO_REDIRECT_URIS": " ".join(uris)} if len(uris) > 1 else {}),
    }


def group_environment(settings: Settings) -> dict[str, str]:
    """Where the realm is, and which of its groups may use the server."""
    login = settings.authentication
    return {
        "OIDC_DISCOVERY_URL": login.discovery_url,
        "OIDC_ADMIN_GROUP_NAME": login.admin_group,
        "OIDC_GROUP_NAME": f"{login.admin_group},{login.user_group}",
        **({"MLFLOW_SSO_SUBGROUPS_OF": login.user_group} if login.include_subgroups else {}),
    }


def security_environment(settings: Settings) -> dict[str, str]:
    """Which hosts are answered, which pages may call, which locations members may name; never a bare ``*``."""
    allowed = " ".join(settings.artifacts.allowed_locations)
    return {
        **({"MLFLOW_SSO_ALLOWED_LOCATIONS": allowed} if allowed else {}),
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(settings.allowed_hosts),
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": ",".join(settings.cors_origins),
    }


def admission_environment(settings: Settings) -> dict[str, str]:
    """What a request may cost before and after its login."""
    server = settings.server
    return {
        "MLFLOW_SSO_MINIMUM_TRANSFER_RATE": str(server.minimum_transfer_rate),
        "MLFLOW_SSO_MAXIMUM_BODY_SIZE": str(server.maximum_body_mebibytes << 20),
        # An eighth is left to sessions, caches and metrics; the kubelet evicts a pod that exceeds the volume's limit.
        "MLFLOW_SSO_TEMPORARY_SPACE": str(in_bytes(server.tmp_size) * 7 // 8 // server.workers),
        **({"MLFLOW_SSO_READ_ONLY": "true"} if server.read_only else {}),
    }


def server_environment(settings: Settings) -> dict[str, str]:
    """Everything that the tracking server reads."""
    return {
        # First, so that nothing there overrides what is derived from other settings.
        **settings.server.extra_environment,
        **process_environment(settings),
        "LOG_LEVEL": settings.server.log_level,
        **({"MLFLOW_SSO_LOG_FORMAT": "json"} if settings.server.log_format == "json" else {}),
        **database_environment(),
        **pool_environment(settings),
        **artifact_environment(settings),
        **login_environment(settings),
        **security_environment(settings),
        **admission_environment(settings),
        **RELEASE_VARIABLES[settings.release](settings),
    }


def variables_of_3_6_0(settings: Settings) -> dict[str, str]:
    """Variables that only MLflow 3.6.0 with mlflow-oidc-auth 5.6.1 reads, or reads differently."""
    redis = settings.authentication.redis
    in_files = {"SESSION_TYPE": "cachelib", "SESSION_CACHE_DIR": "/tmp/session", "CACHE_DIR": "/tmp/cache"}  # noqa: S108
    in_redis = {"SESSION_TYPE": "redis", "CACHE_TYPE": "RedisCache", **redis.environment} if redis else {}
    return {
        # The plugin counts sessions and forgets the oldest beyond its default of 500.
        "SESSION_CACHE_THRESHOLD": "10000",
        "PERMANENT_SESSION_LIFETIME": str(settings.authentication.session_hours * 3600),
        "MLFLOW_SSO_ACCESS_KEY_CACHE": str(settings.server.access_key_cache).lower(),
        # The plugin's own logout leaves Keycloak's session as it is.
        "MLFLOW_SSO_POST_LOGOUT_URI": settings.ingress.post_logout_uri,
        **(in_redis or in_files),
    }


def variables_of_3_17_2(settings: Settings) -> dict[str, str]:
    """Variables that only MLflow 3.17.2 with mlflow-oidc-auth 11.0.2 reads, or reads differently."""
    redis = settings.authentication.redis
    return {
        # Off by default in the plugin; the public address has no plain http.
        "SESSION_COOKIE_SECURE": "true",
        "SESSION_COOKIE_MAX_AGE_SECONDS": str(settings.authentication.session_hours * 3600),
        # Without the refresh token a browser session ends with Keycloak's access token, after 5 minutes by default.
        "OIDC_USE_REFRESH_TOKEN": "true",
        # The first token of a user of the groups, machines included, creates the user; the groups claim decides.
        "OIDC_PROVISION_ON_BEARER_AUTH": "true",
        "TRUSTED_PROXIES": ",".join(settings.server.trusted_proxies),
        "OIDC_DB_POOL_SIZE": str(settings.database.pool_size),
        "OIDC_DB_POOL_MAX_OVERFLOW": str(settings.database.max_overflow),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": str(settings.server.job_execution).lower(),
        # On by default in MLflow; without this the server would serve the gateway's routes unasked.
        "MLFLOW_ENABLE_AI_GATEWAY": str(settings.server.ai_gateway).lower(),
        "MLFLOW_SSO_BEARER_ACCESS_KEYS": str(settings.server.bearer_access_keys).lower(),
        # Workers and replicas share a cache in Redis; "local" is one of the process.
        **({"CACHE_BACKEND": "redis", **redis.environment} if redis else {"CACHE_BACKEND": "local"}),
    }


RELEASE_VARIABLES: Mapping[str, Callable[[Settings], dict[str, str]]] = {
    "3.6.0": variables_of_3_6_0,
    "3.17.2": variables_of_3_17_2,
}
"""The variables of each release, by its name."""


def job_environment(settings: Settings) -> dict[str, str]:
    """What maintenance and the wait for the schema read."""
    return {**migration_environment(settings), **artifact_environment(settings)}


def end_access_environment(settings: Settings) -> dict[str, str]:
    """What the look for users who have left reads."""
    return {**migration_environment(settings), **group_environment(settings)}


_OPENING_ARTIFACTS = (
    "AWS_SHARED_CREDENTIALS_FILE",
    "MLFLOW_SSO_BLOB_KEY_FILE",
    "MLFLOW_SSO_GCS_KEY_FILE",
    "MLFLOW_SSO_GCS_IDENTITY",
)


def backup_environment(settings: Settings) -> dict[str, str]:
    """What a dump reads: the databases, its target, and the place of artifacts, so that the two differ."""
    backup, artifacts = settings.backup, settings.artifacts
    own = {
        "MLFLOW_SSO_BACKUP_TARGET": backup.target or "",
        # Unset if equal: the program then takes that of artifacts, which is among `places`.
        "MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL": backup.endpoint if settings.has_own_backup_endpoint else None,
        # That of artifacts is not among `places` if these are in no S3.
        "MLFLOW_SSO_BACKUP_REGION": backup.region or (None if artifacts.speaks_s3 else artifacts.region),
        "MLFLOW_SSO_BACKUP_RECIPIENTS": ",".join(backup.recipients),
    }
    places = {
        # A dump has keys of its own; those of artifacts are not mounted in its pod.
        name: value
        for name, value in artifact_environment(settings).items()
        if name not in _OPENING_ARTIFACTS
    }
    return {**migration_environment(settings), **places, **{name: value for name, value in own.items() if value}}


def migration_environment(settings: Settings) -> dict[str, str]:
    """What the migration reads: nothing that an operator tunes, because a changed variable is a new Job."""
    return {**process_environment(settings), **database_environment()}


def program_arguments(program: str, flags: Mapping[str, str | int]) -> list[str]:
    """Arguments of ``mlflow-sso``: the program, then its flags."""
    return [program, *(part for flag, value in flags.items() for part in (f"--{flag}", str(value)))]
