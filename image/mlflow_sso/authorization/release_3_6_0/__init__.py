"""What MLflow 3.6.0 with mlflow-oidc-auth 5.6.1 serves, and the plugin's authentication and permissions."""

from mlflow_sso.authorization.matching import Table
from mlflow_sso.authorization.release_3_6_0 import artifacts, grants, registry, server, traces, tracking

TABLE = Table((*server.ROUTES, *tracking.ROUTES, *artifacts.ROUTES, *traces.ROUTES, *registry.ROUTES, *grants.ROUTES))
"""Every route of the application, each once."""
