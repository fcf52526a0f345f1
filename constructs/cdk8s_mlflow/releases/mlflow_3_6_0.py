"""MLflow 3.6.0 with mlflow-oidc-auth 5.6.1: sessions in files or Redis, one access key a user."""

from cdk8s_mlflow.releases.release import Release, ServerKey

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
    worker_mebibytes=105,
    unused_settings=(
        "server.trusted_proxies",
        "server.bearer_access_keys",
        "server.job_execution",
        "server.ai_gateway",
        "maintenance.session_pruning_schedule",
    ),
)
