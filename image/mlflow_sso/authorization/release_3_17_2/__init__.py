"""MLflow 3.17.2 with mlflow-oidc-auth 11.0.2: its table of routes, and how it is asked."""
