"""Brings Keycloak, PostgreSQL, MinIO and the secret store to what the settings say."""
