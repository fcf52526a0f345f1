"""Prepares Keycloak, PostgreSQL, MinIO and the secret store: `python bootstrap.py plan` says what it would do."""

from mlflow_bootstrap.cli import main

if __name__ == "__main__":
    main()
