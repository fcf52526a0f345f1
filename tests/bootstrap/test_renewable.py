"""What has no value of ours is not renewed, and its owner is told where to do it; needs no server."""

import pytest

from mlflow_bootstrap.errors import UsageError
from mlflow_bootstrap.store.entries import EntryPlan, Field


def test_entry_without_own_values_is_not_renewed() -> None:
    given = Field(name="redis_password", variable="MLFLOW_SERVER_REDIS_PASSWORD", rotates=True)
    kept = Field(name="username", variable="MLFLOW_POSTGRES_USERNAME", create=lambda: "a")

    with pytest.raises(UsageError, match=r"^secrets/vault/server has nothing .*; renew it at its source"):
        EntryPlan(name="server", fields=(given, kept)).require_renewable("secrets/vault/server")


def test_entry_names_what_is_renewed() -> None:
    ours = Field(name="password", variable="MLFLOW_POSTGRES_PASSWORD", create=lambda: "a", rotates=True)
    given = Field(name="ca_crt", variable="MLFLOW_POSTGRES_CA_CRT", rotates=True)

    assert EntryPlan(name="postgres", fields=(ours, given)).require_renewable("a") == {"password"}
