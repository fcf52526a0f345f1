"""Artifacts in Azure or at Google: bootstrap creates nothing there, and asks for the key that it cannot create."""

from pathlib import Path
from typing import Any

import pytest

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap import minio
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.store.entries import Field, entry_plans
from mlflow_bootstrap.systems import STORE_ENTRIES, SYSTEMS
from mlflow_bootstrap.values import FixedValues

ARTIFACTS: dict[str, dict[str, Any]] = {
    "azure": {"kind": "azure", "endpoint": "https://exampleaccount.blob.core.windows.net", "bucket": "mlflow"},
    "gcs": {"kind": "gcs", "bucket": "mlflow"},
}


def settings(store: str) -> Settings:
    login = {"keycloak_host": "auth.example.com"}
    return Settings.model_validate(
        {"ingress": {"host": "mlflow.example.com"}, "authentication": login, "artifacts": ARTIFACTS[store]}
    )


def key_of(store: str) -> Field:
    """The only field of the store's entry, which is named as it is."""
    (plan,) = [plan for plan in entry_plans(settings(store), finders={}) if plan.name == store]
    (field,) = plan.fields
    assert not field.rotates
    assert store in STORE_ENTRIES
    return field


@pytest.mark.parametrize("store", ARTIFACTS)
def test_bootstrap_owns_nothing_in_cloud(store: str) -> None:
    ours = settings(store)
    context = Context(settings=ours, credentials=Credentials(environ={}, ask=None), values=FixedValues({}))

    assert minio.resources(context) == []
    assert minio.removable(context, data=frozenset()) == []
    assert [spec.data(ours) for spec in SYSTEMS if spec.name == "minio"] == [()]


def test_account_key_is_given_by_operator() -> None:
    field = key_of("azure")

    with pytest.raises(MissingError, match="MLFLOW_AZURE_ACCOUNT_KEY"):
        field.obtain(Credentials(environ={}, ask=None))
    given = field.obtain(Credentials(environ={"MLFLOW_AZURE_ACCOUNT_KEY": "a key"}, ask=None))

    assert given.get_secret_value() == "a key"


def test_service_account_key_is_given_by_operator(tmp_path: Path) -> None:
    field = key_of("gcs")
    file = tmp_path / "key.json"
    file.write_text('{\n  "type": "service_account"\n}\n')

    with pytest.raises(MissingError, match="MLFLOW_GCS_SERVICE_ACCOUNT_KEY"):
        field.obtain(Credentials(environ={}, ask=None))
    given = field.obtain(Credentials(environ={"MLFLOW_GCS_SERVICE_ACCOUNT_KEY_FILE": str(file)}, ask=None))

    assert given.get_secret_value() == file.read_text().removesuffix("\n")
