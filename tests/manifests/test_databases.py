"""Databases and their role: guarded, created by one system, with a password that is reloaded."""

import json

import pytest

from tests.manifests.objects import Render, only


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
