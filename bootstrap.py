"""Prepares Keycloak, PostgreSQL, MinIO and the secret store: `python bootstrap.py plan` says what it would do."""

try:
    from mlflow_bootstrap.cli import main
except ModuleNotFoundError as error:
    raise SystemExit(f"error: {error.name} is missing; run `make setup`, and again if the checkout was moved") from None

if __name__ == "__main__":
    main()
