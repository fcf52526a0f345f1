"""Which variables ``server.extra_environment`` may hold: those that are known to be harmless, and no others.

Sources: mlflow/environment_variables.py and mlflow_oidc_auth/config.py of both releases, and the documentation of
uvicorn, boto3 and libpq. A variable that moves a route, a host, a header, a store or code has a setting, or a reason.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from cdk8s_mlflow.settings.variable_values import VALUES, refused_values

HARMLESS_ON: Mapping[str, frozenset[str]] = {
    "3.6.0": frozenset(),
    "3.17.2": frozenset(
        {
            "MLFLOW_HTTP_TCP_KEEPALIVE",
            "MLFLOW_HTTP_TCP_KEEPALIVE_COUNT",
            "MLFLOW_HTTP_TCP_KEEPALIVE_IDLE",
            "MLFLOW_HTTP_TCP_KEEPALIVE_INTERVAL",
            "MLFLOW_S3_EXPECTED_BUCKET_OWNER",
            "MLFLOW_DISABLE_AGENT_HINT",
            "AUDIT_LOG_ENABLED",
            "AUDIT_LOG_LEVEL",
            "OIDC_DB_POOL_RECYCLE_SECONDS",
            "OIDC_HTTP_TIMEOUT_SECONDS",
        }
    ),
}
"""Variables that only one release reads, and without harm."""

HARMLESS = frozenset(VALUES).difference(*HARMLESS_ON.values())
"""Variables that either release reads without harm."""

SETTINGS: Mapping[str, str] = {
    r"MLFLOW_BACKEND_STORE_URI|MLFLOW_SERVER_FILE_STORE|OIDC_USERS_DB_URI|PG[A-Z]+": "database.host",
    r"MLFLOW_SQLALCHEMYSTORE_(POOL_SIZE|POOLCLASS)|OIDC_DB_POOL_SIZE": "database.pool_size",
    r"MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW|OIDC_DB_POOL_MAX_OVERFLOW": "database.max_overflow",
    r"MLFLOW_ARTIFACTS_DESTINATION": "artifacts.bucket",
    r"MLFLOW_S3_ENDPOINT_URL|AWS_(IGNORE_CONFIGURED_)?ENDPOINT_URLS?(_[A-Z0-9]+)?": "artifacts.endpoint",
    r"AWS_(REQUEST_CHECKSUM_CALCULATION|RESPONSE_CHECKSUM_VALIDATION)": "artifacts.checksums",
    r"MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "artifacts.addressing",
    r"AWS_(DEFAULT_)?REGION": "artifacts.region",
    r"AWS_(SHARED_CREDENTIALS_FILE|CONFIG_FILE|(DEFAULT_)?PROFILE|ROLE_[A-Z_]+|WEB_IDENTITY_TOKEN_FILE|CONTAINER_[A-Z_]+"
    r"|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN)": "artifacts.credentials",
    r"AZURE_[A-Z_]+|GOOGLE_[A-Z_]+|GCE_METADATA_[A-Z_]+|CLOUDSDK_[A-Z_]+|GCLOUD_PROJECT|NO_GCE_CHECK": (
        "artifacts.credentials"
    ),
    r"STORAGE_EMULATOR_HOST|API_ENDPOINT_OVERRIDE": "artifacts.endpoint",
    r"HTTPS_PROXY|https_proxy": "network.proxy.url",
    r"NO_PROXY|no_proxy": "network.proxy.no_proxy",
    r"LOG_LEVEL": "server.log_level",
    r"MLFLOW_WORKERS|WEB_CONCURRENCY": "server.workers",
    r"MLFLOW_SERVER_ALLOWED_HOSTS": "server.allowed_hosts",
    r"MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": "server.cors_origins",
    r"TRUSTED_PROXIES|PROXY_FIX_[A-Z_]+|FORWARDED_ALLOW_IPS": "server.trusted_proxies",
    r"MLFLOW_SERVER_ENABLE_JOB_EXECUTION|MLFLOW_(SERVER_)?JOB_[A-Z_]+|MLFLOW_SERVER_ENABLE_CUSTOM_SCORERS"
    r"|MLFLOW_(SERVER_)?ONLINE_SCORING_[A-Z_]+": "server.job_execution",
    r"MLFLOW_ENABLE_AI_GATEWAY|MLFLOW_GATEWAY_[A-Z_]+|OIDC_GEN_AI_GATEWAY_ENABLED|MLFLOW_DEPLOYMENTS_TARGET": (
        "server.ai_gateway"
    ),
    r"MLFLOW_SSO_ACCESS_KEY_CACHE": "server.access_key_cache",
    r"MLFLOW_SSO_BEARER_ACCESS_KEYS": "server.bearer_access_keys",
    r"SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|AWS_CA_BUNDLE|OIDC_VERIFY_SSL|MLFLOW_S3_IGNORE_TLS"
    r"|MLFLOW_TRACKING_(INSECURE_TLS|SERVER_CERT_PATH)|PYTHONHTTPSVERIFY|GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": (
        "server.ca_bundle"
    ),
    r"OIDC_DISCOVERY_URL": "authentication.keycloak_host",
    r"OIDC_ISSUER": "authentication.realm",
    r"OIDC_REDIRECT_URI|MLFLOW_SSO_(POST_LOGOUT_URI|REDIRECT_URIS)": "ingress.host",
    r"OIDC_CLIENT_ID|OIDC_AUDIENCE|OIDC_PUBLIC_CLIENT": "authentication.client_id",
    r"OIDC_SCOPE": "authentication.groups_scope",
    r"OIDC_GROUPS_ATTRIBUTE|OIDC_USERINFO_GROUPS": "authentication.groups_claim",
    r"OIDC_ADMIN_GROUP_NAME": "authentication.admin_group",
    r"OIDC_GROUP_NAME(_PATTERN)?": "authentication.user_group",
    r"OIDC_PROVIDER_DISPLAY_NAME": "authentication.provider_name",
    r"DEFAULT_MLFLOW_PERMISSION": "authentication.default_permission",
    r"AUTOMATIC_LOGIN_REDIRECT": "authentication.automatic_login_redirect",
    r"DEFAULT_LANDING_PAGE_IS_PERMISSIONS": "authentication.land_on_permissions",
    r"SESSION_COOKIE_MAX_AGE_SECONDS|PERMANENT_SESSION_LIFETIME|SESSION_PERMANENT": "authentication.session_hours",
    r"SESSION_(TYPE|CACHE_[A-Z_]+|KEY_PREFIX|REDIS.*)|CACHE_[A-Z_]+|REDIS_[A-Z_]+": "authentication.redis",
}
"""Variables that follow from a setting, as patterns of their whole names."""

_CODE = "changes which code runs"
_PERMISSIONS = "changes who may do what, which was tested as it is"
_ROUTES = "moves or adds routes, which are then not those that permissions are checked for"
_HEADERS = "weakens the headers by which a browser protects its user"
_STORES = "moves a store, which backup, migration and cleaning would not know"
_REPLICA = "sends reads to where a write of the same client may not have arrived (docs/not-supported.md)"
_PRIVATE = "is private to MLflow, whose server sets it itself"
_DIRECT = "hands clients addresses of the bucket itself, past the server's permissions"
_ADDRESSES = "makes the server connect to addresses that users choose, those in the cluster too"
_SERVER = "is for another server than `mlflow-sso serve`, which does not read it"

REASONS: Mapping[str, str] = {
    r"MLFLOW_STATIC_PREFIX|ENABLE_API_DOCS|SCRIPT_NAME|ROOT_PATH|APPLICATION_ROOT|MLFLOW_ENABLE_WORKSPACES"
    r"|MLFLOW_ENABLE_(REMOTE_ASSISTANT|ASSISTANT_SANDBOX|MCP_TOOL_DISCOVERY)|MLFLOW_ASSISTANT_[A-Z_]+": _ROUTES,
    r"MLFLOW_SERVER_(X_FRAME_OPTIONS|DISABLE_SECURITY_MIDDLEWARE)|SESSION_COOKIE_[A-Z_]+": _HEADERS,
    r"_MLFLOW_.*": _PRIVATE,
    r"PYTHON[A-Z0-9]*|LD_[A-Z_]+|PATH|VIRTUAL_ENV|MLFLOW_ALLOW_PICKLE_DESERIALIZATION|OIDC_[A-Z_]*PLUGIN": _CODE,
    r"(GUNICORN|UVICORN|WAITRESS|FLASK|WERKZEUG|HYPERCORN)_[A-Z_]+|MLFLOW_(GUNICORN|UVICORN|WAITRESS)_OPTS": _SERVER,
    r"MLFLOW_REGISTRY_(STORE_)?URI|MLFLOW_WORKSPACE[A-Z_]*|MLFLOW_(TRACKING|REGISTRY)_(URI|DIR)"
    r"|MLFLOW_ALLOW_FILE_STORE|MLFLOW_TRACE_ARCHIVAL_[A-Z_]+|MLFLOW_TRACING_DESTINATION|OIDC_ALEMBIC_[A-Z_]+": _STORES,
    r"MLFLOW_READ_REPLICA_[A-Z_]+": _REPLICA,
    r"MLFLOW_DEFAULT_ARTIFACT_ROOT|MLFLOW_SERVE_ARTIFACTS|MLFLOW_ARTIFACTS_ONLY"
    r"|MLFLOW_ENABLE_PROXY_MULTIPART_[A-Z_]+|MLFLOW_PRESIGNED_[A-Z_]+": _DIRECT,
    r"MLFLOW_[A-Z_]+_ALLOW_PRIVATE_IPS|MLFLOW_[A-Z_]+_ALLOWED_(SCHEMES|DOMAINS)|MLFLOW_ALLOW_HTTP_REDIRECTS"
    r"|MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES|MLFLOW_MODEL_CATALOG_[A-Z]+": _ADDRESSES,
    r"PERMISSION_[A-Z_]+|MANAGED_BY_[A-Z_]+|RESTRICT_RESOURCE_CREATION|WORKSPACE_[A-Z_]+|ORPHAN_[A-Z_]+|SCIM_[A-Z_]+"
    r"|SAML_[A-Z_]+|OIDC_WORKSPACE_[A-Z_]+|OIDC_TRUST_[A-Z_]+|OIDC_PROVISION_[A-Z_]+|OIDC_[A-Z]+_FIELD|USER_RETENTION_DAYS"
    r"|MLFLOW_(AUTH|RBAC|BASIC_AUTH)_[A-Z_]+|MLFLOW_SERVER_ENABLE_GRAPHQL_AUTH": _PERMISSIONS,
    r"OIDC_[A-Z_]+|EXTEND_MLFLOW_[A-Z_]+": "is a part of the login, which was tested as it is",
    r"SECRET_KEY|[A-Z_]*_ENCRYPTION_KEY|MLFLOW_CRYPTO_[A-Z_]+|MLFLOW_FLASK_SERVER_SECRET_KEY": (
        "is a key, which the secret store keeps (`bootstrap.py secrets`)"
    ),
    r"MLFLOW_TRACKING_[A-Z0-9_]+": "is for a client of MLflow, which the server must not be",
    r"CONFIG_[A-Z0-9_]+": "takes settings from another place than the environment file",
    r"MLFLOW_SSO_[A-Z0-9_]+": "is the image's own, and follows from the settings of `server`",
    r"MLFLOW_S3_UPLOAD_EXTRA_ARGS": "may open objects to others; set encryption by artifacts.encryption",
    r"MLFLOW_SERVER_GRAPHQL_[A-Z_]+": "limits what one request may ask for",
    r"MLFLOW_GCS_[A-Z_]+": "has no effect: with artifacts.kind gcs, chunks and timeouts are the server's own",
    r"MLFLOW_SQLALCHEMYSTORE_ECHO": "writes what users store into the log",
    r"HOME|TMP|TEMP|TMPDIR": "names a folder, and /tmp is the only one that can be written",
    r"GIT_PYTHON_[A-Z_]+": "is about git, which the image does not have",
    r"MLFLOW_DISABLE_TELEMETRY|DO_NOT_TRACK": "keeps telemetry off",
    r"MLFLOW_(HOST|PORT)|HOST|PORT|MLFLOW_EXPOSE_PROMETHEUS|PROMETHEUS_[A-Z_]+|prometheus_multiproc_dir": (
        "is where Service, probes and Prometheus look for the server"
    ),
    r"(HTTP|ALL|FTP)_PROXY|(http|all|ftp)_proxy": (
        "leads plain requests elsewhere, those to an S3 in the cluster too; network.proxy is for https"
    ),
    r"TZ|PGTZ": "moves times, which are stored as UTC",
    r"KUBERNETES_[A-Z0-9_]+|[A-Z0-9_]+_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?": "is set by Kubernetes",
}
"""Variables that may not be set, as patterns of their whole names, each with the reason."""


def harmless(release: str) -> frozenset[str]:
    """Every variable that ``server.extra_environment`` may hold on ``release``."""
    return HARMLESS | HARMLESS_ON[release]


def refused_variables(names: Mapping[str, str], release: str) -> Iterator[tuple[str, str]]:
    """Pairs of dotted key and message, one for each of ``names`` that may not be set, or not to its value."""
    known = harmless(release)
    for name in names:
        if name not in known:
            yield f"server.extra_environment.{name}", refusal(name, release)
    for name, message in refused_values({name: value for name, value in names.items() if name in known}):
        yield f"server.extra_environment.{name}", message


def refusal(name: str, release: str) -> str:
    """Why ``name`` may not be set on ``release``, and what to do instead."""
    setting = _matching(SETTINGS, name)
    if setting:
        return f"follows from {setting}; set that, and remove it here"
    # Before the patterns, which would give a reason that holds on one release only.
    others = [other for other in HARMLESS_ON if name in HARMLESS_ON[other]]
    if others:
        return f"has no effect on release {release}, only on {others[0]}; remove it"
    reason = _matching(REASONS, name)
    if reason:
        return f"{reason}; remove it"
    near = get_close_matches(name, sorted(harmless(release)), n=1, cutoff=0.85)
    hint = f"did you mean {near[0]}?" if near else "remove it (docs/settings.md lists those that are)"
    return f"is not known to be harmless to the server; {hint}"


def _matching(patterns: Mapping[str, str], name: str) -> str | None:
    return next((value for pattern, value in patterns.items() if re.fullmatch(pattern, name)), None)
