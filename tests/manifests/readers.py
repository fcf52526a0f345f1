"""Settings that no manifest depends on, and the module that reads each instead."""

from collections.abc import Mapping

_STORE = "bootstrap/mlflow_bootstrap/store/vault.py"
_POSTGRES = "bootstrap/mlflow_bootstrap/postgres/login.py"

READERS: Mapping[str, str] = {
    "artifacts.policy": "bootstrap/mlflow_bootstrap/minio/__init__.py",
    "artifacts.user": "bootstrap/mlflow_bootstrap/minio/__init__.py",
    "artifacts.versioned": "bootstrap/mlflow_bootstrap/minio/__init__.py",
    "authentication.directory_client": "bootstrap/mlflow_bootstrap/keycloak/__init__.py",
    "authentication.machine_client": "bootstrap/mlflow_bootstrap/keycloak/__init__.py",
    "bootstrap.attempts": "bootstrap/mlflow_bootstrap/retry.py",
    "bootstrap.backoff_seconds": "bootstrap/mlflow_bootstrap/retry.py",
    "bootstrap.connect_timeout_seconds": _STORE,
    "bootstrap.keycloak_url": "bootstrap/mlflow_bootstrap/keycloak/login.py",
    "bootstrap.kube_context": "bootstrap/mlflow_bootstrap/store/synchronizing.py",
    "bootstrap.postgres_database": _POSTGRES,
    "bootstrap.postgres_host": _POSTGRES,
    "bootstrap.postgres_port": _POSTGRES,
    "bootstrap.read_timeout_seconds": _STORE,
    "bootstrap.s3_endpoint": "bootstrap/mlflow_bootstrap/minio/connection.py",
    "cluster": "constructs/cdk8s_mlflow/settings/servers.py",
    "database.cnpg_version": "bootstrap/mlflow_bootstrap/doctor/checks/operators.py",
    "database.role": "bootstrap/mlflow_bootstrap/postgres/login.py",
    "database.role_management": "bootstrap/mlflow_bootstrap/postgres/role.py",
    "image.tag": "constructs/cdk8s_mlflow/publishing/variables.py",
    "ingress.cloudflared.origin": "constructs/cdk8s_mlflow/settings/ingress_checks.py",
    "secrets.vault_address": _STORE,
    "secrets.vault_auth": _STORE,
    "secrets.vault_auth_mount": _STORE,
    "secrets.vault_mount": _STORE,
    "secrets.vault_prefix": _STORE,
    "secrets.vault_role": _STORE,
}
"""Path of the module in this repository, by the setting's dotted key."""
