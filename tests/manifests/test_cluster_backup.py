"""Backups by CloudNativePG: on a schedule and before a migration, and what cannot hold together."""

from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.cluster_patches import cluster_backup_patch
from cdk8s_mlflow.delivery.argocd import health_script
from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.store.entries import entry_plans
from tests.manifests.objects import Objects, Render

MINIMAL = {"ingress": {"host": "mlflow.example.com"}, "authentication": {"keycloak_host": "auth.example.com"}}
STORE = {"target": "s3://backups/postgres", "endpoint": "https://s3.example.com"}
OWN = ("postgres", "mlflow-backup")


def cluster(**settings: Any) -> dict[str, Any]:
    return {"cluster": settings}


def backups(objects: Objects) -> dict[str, dict[str, Any]]:
    """The Backups by name."""
    return {name: item["spec"] for (kind, _, name), item in objects.items() if kind == "Backup"}


def kinds(objects: Objects) -> set[str]:
    return {kind for kind, _, _ in objects} & {"Backup", "ScheduledBackup", "ObjectStore"}


def test_cluster_backup_is_off_by_default(rendered: Render) -> None:
    assert kinds(rendered()) == set()


def test_scheduled_backup_begins_at_once(rendered: Render) -> None:
    spec = rendered(backup=cluster(schedule="5 4 * * 0"))["ScheduledBackup", *OWN]["spec"]

    assert spec == {
        "cluster": {"name": "postgres-cluster"},
        # CloudNativePG has six fields, of which the first is seconds.
        "schedule": "0 5 4 * * 0",
        "immediate": True,
        "method": "plugin",
        "pluginConfiguration": {"name": "barman-cloud.cloudnative-pg.io"},
    }


def test_volume_snapshot_names_no_plugin(rendered: Render) -> None:
    objects = rendered(backup=cluster(method="volume-snapshot"))

    specs = [objects["ScheduledBackup", *OWN]["spec"], *backups(objects).values()]
    assert {spec["method"] for spec in specs} == {"volumeSnapshot"}
    assert not any("pluginConfiguration" in spec for spec in specs)


def test_object_store_keeps_days_beside_configuration(rendered: Render) -> None:
    objects = rendered(backup=cluster(**STORE, keep_days=7, region="eu-central-1"))

    spec = objects["ObjectStore", *OWN]["spec"]
    keys = objects["ExternalSecret", *OWN]["spec"]["target"]["template"]["data"]
    credentials = spec["configuration"]["s3Credentials"]
    assert spec["retentionPolicy"] == "7d"
    assert spec["configuration"]["destinationPath"] == "s3://backups/postgres"
    assert spec["configuration"]["endpointURL"] == "https://s3.example.com"
    assert {(key["name"], key["key"]) for key in credentials.values()} == {("mlflow-backup", key) for key in keys}
    assert keys["REGION"] == "eu-central-1"


def test_cloud_identity_needs_no_keys(rendered: Render) -> None:
    objects = rendered(backup=cluster(**STORE, credentials="service-account"))

    credentials = objects["ObjectStore", *OWN]["spec"]["configuration"]["s3Credentials"]
    assert credentials == {"inheritFromIAMRole": True}
    assert ("ExternalSecret", *OWN) not in objects


def test_foreign_object_store_is_left_alone(rendered: Render) -> None:
    assert kinds(rendered(backup=cluster())) == {"Backup", "ScheduledBackup"}


def test_each_migration_has_its_own_backup(rendered: Render) -> None:
    first = backups(rendered(backup=cluster()))
    image = backups(rendered(backup=cluster(), image={"digest": f"sha256:{'0' * 64}"}))
    method = backups(rendered(backup=cluster(method="volume-snapshot")))
    logs = backups(rendered(backup=cluster(), server={"log_level": "DEBUG"}))

    assert len({*first, *image, *method}) == 3
    assert logs == first


def test_migration_comes_after_backup(rendered: Render) -> None:
    objects = rendered(backup=cluster())
    waves = {
        kind: int(item["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", 0))
        for (kind, _, _), item in objects.items()
        if kind in ("Database", "Backup", "Job")
    }

    assert waves["Database"] < waves["Backup"] < waves["Job"]


def test_flux_waits_until_backup_is_complete(rendered: Render) -> None:
    def checked(**settings: Any) -> dict[str, Any]:
        objects = rendered(backup=cluster(**settings))
        database = next(
            item["spec"] for (kind, _, name), item in objects.items() if kind == "Kustomization" and "database" in name
        )
        return {check["kind"]: check for check in database["healthCheckExprs"]}

    assert checked()["Backup"]["current"] == "has(status.phase) && status.phase == 'completed'"
    assert checked()["Backup"]["failed"] == "has(status.phase) && status.phase == 'failed'"
    assert "Backup" not in checked(before_migration=False)


def test_argo_cd_reads_health_of_backups() -> None:
    assert "postgresql.cnpg.io_Backup: |" in health_script(backup=True)
    assert "Backup" not in health_script(backup=False)


def test_owner_learns_what_cluster_must_name() -> None:
    patch = cluster_backup_patch(Settings.model_validate({**MINIMAL, "backup": cluster(**STORE)}))

    assert "barmanObjectName: mlflow-backup" in patch
    assert "isWALArchiver: true" in patch


def test_bootstrap_takes_keys_of_barman() -> None:
    settings = Settings.model_validate({**MINIMAL, "backup": cluster(**STORE)})

    plans = {plan.name: plan.fields for plan in entry_plans(settings, finders={})}

    assert [(field.variable, field.create) for field in plans["barman"]] == [
        ("MLFLOW_BARMAN_ACCESSKEY", None),
        ("MLFLOW_BARMAN_SECRETKEY", None),
    ]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"backup": cluster(schedule=None, before_migration=False)}, "backup.cluster.schedule"),
        # CloudNativePG's own form; settings have the five fields of Kubernetes everywhere.
        ({"backup": cluster(schedule="0 47 0 * * *")}, "backup.cluster.schedule"),
        # CloudNativePG 1.31 is without its built-in Barman.
        ({"backup": cluster(method="barmanObjectStore")}, "backup.cluster.method"),
        ({"backup": cluster(endpoint="https://s3.example.com")}, "backup.cluster.endpoint"),
        ({"backup": cluster(method="volume-snapshot", keep_days=3)}, "backup.cluster.keep_days"),
        ({"backup": cluster(target="s3://mlflow/a", endpoint="http://minio.minio.svc:9000")}, "backup.cluster.target"),
        ({"backup": cluster(**STORE, credentials="service-account", region="eu-1")}, "backup.cluster.region"),
        ({"backup": cluster(**STORE), "maintenance": {"retention_days": 13}}, "maintenance.retention_days"),
        (
            {"backup": {"target": "s3://backups", "endpoint": "https://s3.example.com", **cluster(**STORE)}},
            "backup.cluster.target",
        ),
        ({"backup": cluster(), "database": {"host": "db.example.com"}}, "backup.cluster"),
        (
            {"backup": cluster(), "database": {"cnpg_version": "1.29", "role_management": "managed-roles"}},
            "backup.cluster.method",
        ),
        # Flux has ``healthCheckExprs`` from 2.5 on.
        ({"backup": cluster(), "delivery": {"flux_version": "2.4"}}, "backup.cluster.before_migration"),
        (
            {
                "backup": cluster(**STORE),
                "secrets": {"store_kind": "SecretStore"},
                "database": {"role_management": "bootstrap"},
            },
            "secrets.store_kind",
        ),
    ],
)
def test_cluster_backup_refuses_what_cannot_work(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({**MINIMAL, **changes})

    assert f"{key} " in f"{refused.value} ".replace(":", " ").replace("\n", " ")
