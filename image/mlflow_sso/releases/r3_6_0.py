"""MLflow 3.6.0 with mlflow-oidc-auth 5.6.1."""

from mlflow_sso.releases import Release

RELEASE = Release(
    mlflow="3.6.0",
    plugin="5.6.1",
    app_name="oidc-auth-fastapi",
    server_secrets=("SECRET_KEY", "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"),
    sessions_in_database=False,
)
