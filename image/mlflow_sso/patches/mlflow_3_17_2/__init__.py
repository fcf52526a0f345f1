"""What changes MLflow 3.17.2 and mlflow-oidc-auth 11.0.2."""
