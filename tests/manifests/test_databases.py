"""Databases and their role: guarded, created by one system, with a password that is reloaded."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.cluster_patches import managed_role_patch
from cdk8s_mlflow.settings import Settings
from tests.manifests.objects import MINIMAL, Render, only, pod_specs


def test_reclaim_policy_delete_lifts_prune_guards(rendered: Render) -> None:
    kept, deleted = rendered(), rendered(database={"reclaim_policy": "delete"})

    changed = {key for key in kept if kept[key] != deleted[key]}
    assert changed == {
        ("Database", "postgres", "mlflow"),
        ("Database", "postgres", "mlflow-auth"),
        ("DatabaseRole", "postgres", "mlflow"),
    }
    assert all("Prune=false" in json.dumps(kept[key]) for key in changed)
    assert not any("prune" in json.dumps(deleted[key]["metadata"]).lower() for key in changed)


@pytest.mark.parametrize(("way", "role", "secret"), [("managed-roles", False, True), ("bootstrap", False, False)])
def test_role_has_one_maker(rendered: Render, way: str, role: bool, secret: bool) -> None:
    objects = rendered(database={"role_management": way})

    assert any(kind == "DatabaseRole" for kind, _, _ in objects) is role
    assert ("ExternalSecret", "postgres", "mlflow-db-role") in objects if secret else True
    assert any(name == "mlflow-db-role" for _, _, name in objects) is secret


def test_roles_secret_tells_cloudnative_pg_to_reload(rendered: Render) -> None:
    template = only(rendered(), "ExternalSecret", "mlflow-db-role")["spec"]["target"]["template"]

    assert template["type"] == "kubernetes.io/basic-auth"
    assert template["metadata"]["labels"] == {"cnpg.io/reload": "true", "app.kubernetes.io/instance": "mlflow"}


CERTIFIED: Mapping[str, Any] = {"client_certificate": "mlflow-client-cert"}
BACKED_UP = {"release": "3.17.2", "backup": {"target": "s3://dumps/mlflow", "before_migration": True}}


def test_every_database_client_mounts_certificate(rendered: Render) -> None:
    objects = rendered(**BACKED_UP, database=CERTIFIED)
    volumes = [volume for spec in pod_specs(objects) for volume in spec["volumes"] if volume["name"] == "secret-db"]

    pair = [{"key": "tls.crt", "path": "tls.crt"}, {"key": "tls.key", "path": "tls.key"}]
    secret = {"secret": {"name": "mlflow-client-cert", "items": pair}}
    expected = {"sources": [{"secret": {"name": "mlflow-db-secret"}}, secret], "defaultMode": 0o440}
    assert len(volumes) >= 5
    assert all(volume == {"name": "secret-db", "projected": expected} for volume in volumes)


def test_certificate_leaves_no_password(rendered: Render) -> None:
    objects = rendered(**BACKED_UP, database=CERTIFIED)
    secret = only(objects, "ExternalSecret", "mlflow-db-secret")["spec"]

    assert ("ExternalSecret", "postgres", "mlflow-db-role") not in objects
    assert [item["secretKey"] for item in secret["data"]] == ["username", "ca_crt"]
    service = secret["target"]["template"]["data"]["pg_service.conf"]
    assert "password" not in service
    assert "sslcert=/var/run/secrets/mlflow/db/tls.crt\nsslkey=/var/run/secrets/mlflow/db/tls.key\n" in service


@pytest.mark.parametrize(("name", "issued"), [("mlflow-client-cert", True), ("of-cert-manager", False)])
def test_only_its_own_certificate_is_issued(rendered: Render, name: str, issued: bool) -> None:
    spec = only(rendered(database={"client_certificate": name}), "DatabaseRole")["spec"]

    assert spec.get("clientCertificate") == ({"enabled": True} if issued else None)
    assert spec["disablePassword"] is True
    assert "passwordSecret" not in spec


def test_managed_role_with_certificate_has_no_password() -> None:
    database = {**CERTIFIED, "role_management": "managed-roles"}

    patch = managed_role_patch(Settings.model_validate({**MINIMAL, "database": database}))

    assert patch.splitlines()[-1] == "        disablePassword: true"


def test_certificate_without_tls_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"database\.sslmode is disable"):
        Settings.model_validate({**MINIMAL, "database": {**CERTIFIED, "sslmode": "disable"}})
