"""What keeps dumps and backups of the Cluster from being of use when they are needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings import servers
from cdk8s_mlflow.settings.artifacts import is_of_aws
from cdk8s_mlflow.settings.section import Conflict, at_least

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.backup import ClusterBackupSettings
    from cdk8s_mlflow.settings.environment import EnvironmentSettings


def backup_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """What cannot hold together, by dotted key."""
    yield from _dumps(settings)
    if settings.backup.cluster:
        yield from _operator(settings, settings.backup.cluster)
        yield from _plugin(settings, settings.backup.cluster)
        yield from _alert(settings, settings.backup.cluster)
    yield from _retention(settings)


def _dumps(settings: EnvironmentSettings) -> Iterator[Conflict]:
    backup = settings.backup
    if backup.target is None:
        return
    if not settings.artifacts.speaks_s3 and backup.endpoint is None:
        yield (
            "backup.endpoint",
            f"is required, since dumps are written to S3 and artifacts.kind is {settings.artifacts.kind}; name an S3, "
            "or use backup.cluster",
        )
    elif backup.credentials != "keys" and not _dumps_to_aws(settings):
        yield (
            "backup.credentials",
            f"is {backup.credentials}, but only S3 of AWS takes a cloud identity, and dumps go to "
            f"{backup.endpoint or settings.artifacts.endpoint}; use keys",
        )
    elif _in_bucket_of_artifacts(settings, backup.target, servers.dumps(settings)):
        yield from _readable("backup.target", backup.target)


def _dumps_to_aws(settings: EnvironmentSettings) -> bool:
    return is_of_aws(settings.backup.endpoint) if settings.backup.endpoint else settings.artifacts.is_aws


def _in_bucket_of_artifacts(settings: EnvironmentSettings, target: str, places: servers.Places) -> bool:
    return _bucket(target) == settings.artifacts.bucket and bool(places & servers.object_store(settings))


def _readable(key: str, target: str) -> Iterator[Conflict]:
    yield key, f"is in {_bucket(target)}, whose objects users of MLflow may read; name another bucket"


def _bucket(target: str) -> str:
    return target.removeprefix("s3://").partition("/")[0]


def _operator(settings: EnvironmentSettings, backup: ClusterBackupSettings) -> Iterator[Conflict]:
    database, delivery = settings.database, settings.delivery
    if database.host is not None:
        yield (
            "backup.cluster",
            f"is of CloudNativePG, but database.host is {database.host}; remove one, or dump by backup.target",
        )
    if backup.schedule is None and not backup.before_migration:
        yield "backup.cluster.schedule", "is null, and before_migration is false, so nothing is backed up; set one"
    if backup.method == "plugin" and not at_least(database.cnpg_version, 1, 30):
        yield (
            "backup.cluster.method",
            f"is plugin, which needs CloudNativePG 1.30, but database.cnpg_version is {database.cnpg_version}; use "
            "volume-snapshot",
        )
    if backup.before_migration and "flux" in delivery.tools and not delivery.flux_reads_health:
        yield (
            "backup.cluster.before_migration",
            f"is true, but Flux {delivery.flux_version} cannot wait for a Backup; use Flux 2.5, or set it to false",
        )


def _alert(settings: EnvironmentSettings, backup: ClusterBackupSettings) -> Iterator[Conflict]:
    gap = _hours_between(backup.schedule or "")
    if settings.monitoring.rules and "maximum_age_hours" in backup.model_fields_set and backup.maximum_age_hours <= gap:
        yield (
            "backup.cluster.maximum_age_hours",
            f"is {backup.maximum_age_hours}, but there are {gap} hours between two backups ({backup.schedule}), so "
            "that the alert MlflowBackupOld would fire before each; raise it",
        )
    daily = backup.schedule is None or backup.schedule.split()[2:] == ["*", "*", "*"]
    if settings.monitoring.rules and not daily and "maximum_age_hours" not in backup.model_fields_set:
        yield (
            "backup.cluster.maximum_age_hours",
            f"is required, since backup.cluster.schedule {backup.schedule} is not daily and the alert MlflowBackupOld "
            "would fire between two backups; give a little more than the hours between them",
        )


def _hours_between(schedule: str) -> int:
    """Hours from one run to the next at most, of the usual schedules; 0 for others."""
    if re.fullmatch(r"\d+ \d+ \* \* \*", schedule):
        return 24
    if re.fullmatch(r"\d+ \d+ \* \* [0-6A-Za-z]+", schedule):
        return 7 * 24
    return 31 * 24 if re.fullmatch(r"\d+ \d+ \d+ \* \*", schedule) else 0


def _plugin(settings: EnvironmentSettings, backup: ClusterBackupSettings) -> Iterator[Conflict]:
    if backup.method != "plugin" or backup.target is None:
        return
    places = servers.cluster_backups(settings, backup)
    if _in_bucket_of_artifacts(settings, backup.target, places):
        yield from _readable("backup.cluster.target", backup.target)
    if settings.backup.target and places & servers.dumps(settings) and _overlap(backup.target, settings.backup.target):
        yield (
            "backup.cluster.target",
            f"overlaps backup.target ({settings.backup.target}), and each deletes what it does not keep; name another "
            "prefix",
        )


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _retention(settings: EnvironmentSettings) -> Iterator[Conflict]:
    backup, maintenance = settings.backup, settings.maintenance
    kept = {"backup.keep_days": backup.keep_days if backup.target else 0}
    if backup.cluster and backup.cluster.target:
        kept["backup.cluster.keep_days"] = backup.cluster.keep_days
    # The longest: the oldest backup that can be restored decides which artifacts it may name.
    key, days = max(kept.items(), key=lambda item: item[1])
    if maintenance.garbage_collection and not settings.artifacts.versioned and maintenance.retention_days < days:
        yield (
            "maintenance.retention_days",
            f"is {maintenance.retention_days}, less than {key} ({days}): a restored database would name artifacts that "
            f"are deleted; raise it{'' if not settings.artifacts.speaks_s3 else ', or set artifacts.versioned'}",
        )
