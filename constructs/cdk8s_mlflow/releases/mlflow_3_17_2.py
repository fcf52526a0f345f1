"""MLflow 3.17.2 with mlflow-oidc-auth 11.0.2: sessions in the database, several access keys a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk8s_mlflow.releases.release import Release, ServerKey

if TYPE_CHECKING:
    from cdk8s_mlflow.settings import Settings


def _environment(settings: Settings) -> dict[str, str]:
    redis = settings.authentication.redis
    return {
        "SESSION_COOKIE_SECURE": "true",
        "SESSION_COOKIE_MAX_AGE_SECONDS": str(settings.authentication.session_hours * 3600),
        # Without the refresh token a browser session ends with Keycloak's access token, after 5 minutes by default.
        "OIDC_USE_REFRESH_TOKEN": "true",
        # Users of the groups, machines too, are created by their first token; the claim of groups decides who.
        "OIDC_PROVISION_ON_BEARER_AUTH": "true",
        "TRUSTED_PROXIES": ",".join(settings.server.trusted_proxies),
        "OIDC_DB_POOL_SIZE": str(settings.database.pool_size),
        "OIDC_DB_POOL_MAX_OVERFLOW": str(settings.database.max_overflow),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": str(settings.server.job_execution).lower(),
        # On by default in MLflow; what it is not told to serve, the server refuses.
        "MLFLOW_ENABLE_AI_GATEWAY": str(settings.server.ai_gateway).lower(),
        "MLFLOW_SSO_BEARER_ACCESS_KEYS": str(settings.server.bearer_access_keys).lower(),
        **({"CACHE_BACKEND": "redis", **redis.environment} if redis else {"CACHE_BACKEND": "local"}),
    }


RELEASE = Release(
    name="3.17.2",
    mlflow="3.17.2",
    plugin="11.0.2",
    python="3.12",
    base_image="docker.io/library/python:3.12-slim",
    app_name="oidc-auth",
    sessions_in_database=True,
    needs_session_pruning=True,
    pkce=True,
    many_admin_groups=True,
    server_keys=(
        ServerKey(variable="SECRET_KEY", field="secret_key", form="token", rotates=True),
        ServerKey(
            variable="SESSION_TOKEN_ENCRYPTION_KEY", field="session_token_encryption_key", form="fernet", rotates=True
        ),
        ServerKey(
            variable="MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY",
            field="webhook_secret_encryption_key",
            form="fernet",
            rotates=False,
        ),
        ServerKey(variable="MLFLOW_CRYPTO_KEK_PASSPHRASE", field="crypto_kek_passphrase", form="token", rotates=False),
    ),
    startup_seconds=600,
    unused_settings=("server.access_key_cache",),
    environment=_environment,
)
