"""MLflow 3.6.0 with mlflow-oidc-auth 5.6.1: sessions in files or Redis, one access key a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk8s_mlflow.releases.release import Release, ServerKey

if TYPE_CHECKING:
    from cdk8s_mlflow.settings import Settings


def _environment(settings: Settings) -> dict[str, str]:
    return {
        # The plugin counts sessions and forgets the oldest beyond its default of 500.
        "SESSION_CACHE_THRESHOLD": "10000",
        "PERMANENT_SESSION_LIFETIME": str(settings.authentication.session_hours * 3600),
        "MLFLOW_SSO_ACCESS_KEY_CACHE": str(settings.server.access_key_cache).lower(),
        # The plugin's own logout leaves Keycloak's session as it is.
        "MLFLOW_SSO_POST_LOGOUT_URI": settings.ingress.post_logout_uri,
        **_session_store(settings),
    }


def _session_store(settings: Settings) -> dict[str, str]:
    redis = settings.authentication.redis
    if redis is None:
        return {"SESSION_TYPE": "cachelib", "SESSION_CACHE_DIR": "/tmp/session", "CACHE_DIR": "/tmp/cache"}  # noqa: S108
    return {"SESSION_TYPE": "redis", "CACHE_TYPE": "RedisCache", **redis.environment}


RELEASE = Release(
    name="3.6.0",
    mlflow="3.6.0",
    plugin="5.6.1",
    python="3.11",
    base_image="docker.io/burakince/mlflow:3.6.0",
    app_name="oidc-auth-fastapi",
    sessions_in_database=False,
    needs_session_pruning=False,
    pkce=False,
    many_admin_groups=False,
    server_keys=(
        ServerKey(variable="SECRET_KEY", field="secret_key", form="token", rotates=True),
        ServerKey(
            variable="MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY",
            field="webhook_secret_encryption_key",
            form="fernet",
            rotates=False,
        ),
    ),
    startup_seconds=600,
    unused_settings=(
        "server.trusted_proxies",
        "server.bearer_access_keys",
        "server.job_execution",
        "server.ai_gateway",
        "maintenance.session_pruning_schedule",
    ),
    environment=_environment,
)
