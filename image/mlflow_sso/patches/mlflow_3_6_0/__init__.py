"""What changes MLflow 3.6.0 and mlflow-oidc-auth 5.6.1."""
