"""Dumps: a CronJob, and a migration that waits for one; nothing of it unless a target is set."""

from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.store.entries import entry_plans
from tests.manifests.objects import Objects, Render

TARGET = {"target": "s3://dumps/mlflow"}
MINIMAL = {"ingress": {"host": "mlflow.example.com"}, "authentication": {"keycloak_host": "auth.example.com"}}


def one(objects: Objects, kind: str, prefix: str) -> dict[str, Any]:
    (found,) = [item for (its_kind, _, name), item in objects.items() if its_kind == kind and name.startswith(prefix)]
    return found


def variables(container: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item.get("value", "") for item in container["env"]}


def test_dump_is_off_without_target(rendered: Render) -> None:
    objects = rendered()

    assert not [name for _, _, name in objects if "dump" in name or "backup" in name]
    assert "initContainers" not in one(objects, "Job", "mlflow-db-migration")["spec"]["template"]["spec"]


def test_dump_runs_daily_with_its_own_keys(rendered: Render) -> None:
    objects = rendered(backup={**TARGET, "keep_days": 7, "recipients": ("age1" + "q" * 58,)})

    job = one(objects, "CronJob", "mlflow-dump")["spec"]["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    mounted = {mount["mountPath"].rpartition("/")[2] for mount in container["volumeMounts"]}
    assert container["args"] == ["dump", "--keep-days", "7", "--keep-at-least", "3"]
    assert mounted == {"db", "backup", "tmp"}
    assert variables(container)["MLFLOW_SSO_BACKUP_TARGET"] == "s3://dumps/mlflow"
    assert variables(container)["MLFLOW_SSO_BACKUP_RECIPIENTS"] == "age1" + "q" * 58
    assert job["activeDeadlineSeconds"] == 14400


def test_migration_waits_for_dump(rendered: Render) -> None:
    spec = one(rendered(backup=TARGET), "Job", "mlflow-db-migration")["spec"]

    (dump,) = spec["template"]["spec"]["initContainers"]
    (migrate,) = spec["template"]["spec"]["containers"]
    rules = {
        (rule["action"], rule["onExitCodes"]["containerName"], *rule["onExitCodes"]["values"])
        for rule in spec["podFailurePolicy"]["rules"]
        if "onExitCodes" in rule
    }
    assert dump["args"][:2] == ["dump", "--before-migration"]
    # 75 is tried again; 1 ends the Job before the migration has begun.
    assert {("Ignore", "dump", 75), ("FailJob", "dump", 1)} <= rules
    assert [mount["name"] for mount in migrate["volumeMounts"]] == ["secret-db", "tmp"]


def test_migration_may_go_without_dump(rendered: Render) -> None:
    objects = rendered(backup={**TARGET, "before_migration": False})

    assert "initContainers" not in one(objects, "Job", "mlflow-db-migration")["spec"]["template"]["spec"]
    assert one(objects, "CronJob", "mlflow-dump")


def test_dump_reaches_only_what_it_needs(rendered: Render) -> None:
    objects = rendered(backup={**TARGET, "endpoint": "https://s3.example.com:8443"})

    policy = objects["NetworkPolicy", "mlflow", "mlflow-backup"]["spec"]
    ports = [port["port"] for rule in policy["egress"] for port in rule["ports"]]
    migration = objects["NetworkPolicy", "mlflow", "mlflow-migration"]["spec"]
    # DNS by UDP and by TCP, the database, the bucket of the dumps.
    assert ports == [53, 53, 5432, 8443]
    assert migration["egress"] == policy["egress"]
    # The API server drops an empty list, which a server-side apply sees as a change each time.
    assert "ingress" not in policy


def test_dump_needs_no_keys_with_identity(rendered: Render) -> None:
    aws = {"kind": "s3", "endpoint": None}
    objects = rendered(artifacts=aws, backup={**TARGET, "credentials": "service-account"})

    assert ("ExternalSecret", "mlflow", "mlflow-backup-secret") not in objects
    assert ("ExternalSecret", "mlflow", "mlflow-backup-secret") in rendered(backup=TARGET)


def test_bootstrap_takes_keys_of_dumps() -> None:
    settings = Settings.model_validate({**MINIMAL, "backup": TARGET})

    plans = {plan.name: plan.fields for plan in entry_plans(settings, finders={})}

    assert [(field.variable, field.create, field.rotates) for field in plans["backup"]] == [
        ("MLFLOW_BACKUP_ACCESSKEY", None, False),
        ("MLFLOW_BACKUP_SECRETKEY", None, False),
    ]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"backup": {"keep_days": 3}}, "backup.keep_days"),
        ({"backup": {"target": "s3://mlflow/dumps"}}, "backup.target"),
        ({"backup": {"target": "s3://mlflow", "endpoint": "http://minio.minio.svc:9000"}}, "backup.target"),
        *(
            (
                {"backup": {"target": "s3://mlflow", "endpoint": dumps}, "artifacts": {"endpoint": artifacts}},
                "backup.target",
            )
            for artifacts, dumps in (
                ("https://s3.example.com", "https://s3.example.com:443"),
                ("https://s3.example.com", "https://S3.example.com"),
                ("http://minio.minio.svc:9000", "http://minio.minio.svc.cluster.local:9000"),
                # Without an endpoint it is AWS.
                (None, "https://s3.eu-central-1.amazonaws.com"),
            )
        ),
        # A day less than dumps are kept: a restored row could miss its objects.
        ({"backup": TARGET, "maintenance": {"retention_days": 13}}, "maintenance.retention_days"),
        ({"backup": {"target": "dumps"}}, "backup.target"),
        ({"backup": {"target": "s3://dumps/a/"}}, "backup.target"),
        ({"backup": {"target": "s3://dumps/../a"}}, "backup.target"),
        # The secret key of age where the public one belongs.
        ({"backup": {**TARGET, "recipients": ["AGE-SECRET-KEY-1ABC"]}}, "backup.recipients"),
        ({"backup": {**TARGET, "schedule": "daily"}}, "backup.schedule"),
    ],
)
def test_backup_refuses_what_cannot_work(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({**MINIMAL, **changes})

    assert key in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        # Versions bring back what was deleted too early.
        {"maintenance": {"retention_days": 3}, "artifacts": {"versioned": True}},
        {"backup": {**TARGET, "keep_days": 60}, "maintenance": {"garbage_collection": False}},
        {"backup": {"target": "s3://mlflow", "endpoint": "https://elsewhere.example.com"}},
    ],
)
def test_backup_allows_what_can_work(changes: dict[str, Any]) -> None:
    settings = Settings.model_validate({**MINIMAL, "backup": TARGET, **changes})

    assert settings.dumps_before_migration
