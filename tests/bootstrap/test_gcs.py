"""Artifacts in Google Cloud Storage: bootstrap creates nothing there, and asks for the key that it cannot create."""

from pathlib import Path

import pytest

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap import minio
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.errors import MissingError
from mlflow_bootstrap.store.entries import entry_plans
from mlflow_bootstrap.systems import STORE_ENTRIES, SYSTEMS
from mlflow_bootstrap.values import FixedValues

GCS = {"kind": "gcs", "bucket": "mlflow"}


@pytest.fixture
def settings() -> Settings:
    login = {"keycloak_host": "auth.example.com"}
    return Settings.model_validate(
        {"ingress": {"host": "mlflow.example.com"}, "authentication": login, "artifacts": GCS}
    )


def test_bootstrap_owns_nothing_at_google(settings: Settings) -> None:
    context = Context(settings=settings, credentials=Credentials(environ={}, ask=None), values=FixedValues({}))

    assert minio.resources(context) == []
    assert minio.removable(context, data=frozenset()) == []
    assert [spec.data(settings) for spec in SYSTEMS if spec.name == "minio"] == [()]


def test_service_account_key_is_given_by_operator(settings: Settings, tmp_path: Path) -> None:
    (plan,) = [plan for plan in entry_plans(settings, finders={}) if plan.name == "gcs"]
    (field,) = plan.fields
    file = tmp_path / "key.json"
    file.write_text('{\n  "type": "service_account"\n}\n')

    with pytest.raises(MissingError, match="MLFLOW_GCS_SERVICE_ACCOUNT_KEY"):
        field.obtain(Credentials(environ={}, ask=None))
    given = field.obtain(Credentials(environ={"MLFLOW_GCS_SERVICE_ACCOUNT_KEY_FILE": str(file)}, ask=None))

    assert given.get_secret_value() == file.read_text().removesuffix("\n")
    assert not field.rotates
    assert "gcs" in STORE_ENTRIES
