"""MLflow 3.17.2 with mlflow-oidc-auth 11.0.2."""

from mlflow_sso.releases import Release

RELEASE = Release(
    mlflow="3.17.2",
    plugin="11.0.2",
    app_name="oidc-auth",
    server_secrets=(
        "SECRET_KEY",
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY",
        "SESSION_TOKEN_ENCRYPTION_KEY",
        "MLFLOW_CRYPTO_KEK_PASSPHRASE",
    ),
    experiment_tables=(
        "sql_trace_metric_daily_rollups",
        "sql_span_cost_daily_rollups",
        "sql_assessment_daily_rollups",
        "sql_trace_rollup_rebuild_queue",
    ),
    sessions_in_database=True,
)
