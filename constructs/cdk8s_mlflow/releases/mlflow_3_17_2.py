"""MLflow 3.17.2 with mlflow-oidc-auth 11.0.2: sessions in the database, several access keys a user."""

from cdk8s_mlflow.releases.release import Release, ServerKey

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
        ServerKey(variable="SECRET_KEY", field="secret_key", form="token", rotates=True, keeps_previous=True),
        ServerKey(
            variable="SESSION_TOKEN_ENCRYPTION_KEY",
            field="session_token_encryption_key",
            form="fernet",
            rotates=True,
            keeps_previous=True,
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
    worker_mebibytes=145,
    unused_settings=("server.access_key_cache",),
)
