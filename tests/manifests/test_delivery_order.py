"""Flux and Argo CD apply what others need first, and again if it fails."""

from collections.abc import Mapping

import pytest

from tests.manifests.objects import Render, only


def test_flux_applies_application_after_database(rendered: Render) -> None:
    objects = rendered()
    database = only(objects, "Kustomization", "mlflow-test-database")["spec"]
    application = only(objects, "Kustomization", "mlflow-test-application")["spec"]

    assert application["dependsOn"] == [{"name": "mlflow-test-database"}]
    assert (database["path"], application["path"]) == ("./dist/test/database", "./dist/test/application")
    assert {check["kind"] for check in database["healthCheckExprs"]} == {"Database", "DatabaseRole"}


@pytest.mark.parametrize("role", ["bootstrap", "managed-roles"])
def test_delivery_names_no_folder_that_is_not_there(rendered: Render, role: str) -> None:
    database = {"role_management": role, "database_management": "bootstrap"}
    objects = rendered(database=database, secrets={"mode": "kubernetes"})

    assert [name for kind, _, name in objects if kind == "Kustomization"] == ["mlflow-test-application"]
    assert "dependsOn" not in only(objects, "Kustomization", "mlflow-test-application")["spec"]
    sources = only(objects, "Application", "mlflow-test")["spec"]["sources"]
    assert [source["path"] for source in sources] == ["dist/test/application"]


def test_oci_repository_is_source_too(rendered: Render) -> None:
    objects = rendered(delivery={"repository": "oci://registry.example.com/mlflow", "tools": ("flux",)})

    assert only(objects, "OCIRepository", "mlflow-test")["spec"]["url"] == "oci://registry.example.com/mlflow"
    assert only(objects, "Kustomization", "mlflow-test-database")["spec"]["sourceRef"]["kind"] == "OCIRepository"


def test_argo_cd_tries_again_and_applies_both_folders(rendered: Render) -> None:
    spec = only(rendered(), "Application", "mlflow-test")["spec"]

    assert [source["path"] for source in spec["sources"]] == ["dist/test/database", "dist/test/application"]
    assert spec["syncPolicy"]["retry"] | {"backoff": None} == {"limit": 5, "refresh": True, "backoff": None}


WAVES: Mapping[str, int] = {
    "Namespace": -30,
    "ServiceAccount": -20,
    "NetworkPolicy": -20,
    "ExternalSecret": -20,
    "Database": -10,
    # Before the databases, which it owns.
    "DatabaseRole": -12,
    "Job": -5,
}


def test_no_object_waits_for_one_of_later_wave(rendered: Render) -> None:
    objects = rendered(ingress={"cloudflared": {}})
    applied = {key: o for key, o in objects.items() if key[1] not in ("flux-system", "argocd")}

    waves = {
        key: int(o["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", 0))
        for key, o in applied.items()
    }
    assert waves == {key: WAVES.get(key[0], 0) for key in applied}
