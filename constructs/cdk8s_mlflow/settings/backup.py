"""Where the databases are dumped to, and when."""

from typing import Annotated, Literal

from pydantic import Field

from cdk8s_mlflow.settings.addresses import S3Endpoint
from cdk8s_mlflow.settings.section import CronSchedule, Section, matching

BackupTarget = Annotated[
    str,
    matching(
        r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_-][A-Za-z0-9._-]*)*",
        "s3://backups/mlflow (a bucket and a prefix without closing slash)",
    ),
]

AgeRecipient = Annotated[
    str, matching(r"age1[02-9ac-hj-np-z]{58}", "age1… (a public key that age-keygen prints, 62 characters)")
]

Region = Annotated[str, matching(r"[a-z0-9-]{1,40}", "us-east-1")]


class ClusterBackupSettings(Section):
    """Backups that CloudNativePG takes of the whole Cluster, which must name the plugin or a snapshot class."""

    method: Literal["plugin", "volume-snapshot"] = "plugin"
    """The plugin barman-cloud, which also archives the write-ahead log, or snapshots of the volumes."""

    schedule: CronSchedule | None = "47 0 * * *"
    """When to take one, in the operator's time zone; null if the Cluster's owner has a ScheduledBackup."""

    before_migration: bool = True
    """Take one before each new migration Job, too; Flux and Argo CD let the Job wait for it."""

    target: BackupTarget | None = None
    """Bucket and prefix for the plugin; null if the Cluster names an ObjectStore of its owner."""

    endpoint: S3Endpoint | None = None
    """Address of the S3 API that holds ``target``, as the Cluster's pods reach it; null for AWS."""

    region: Region | None = None
    """Region of the bucket; null for that of the artifacts. A cloud identity knows its own."""

    credentials: Literal["keys", "service-account"] = "keys"
    """Access keys of the entry ``barman`` of the secret store, or a cloud identity of the Cluster's pods."""

    keep_days: Annotated[int, Field(ge=1, le=3650)] = 14
    """Days for which the plugin keeps what a recovery to any moment needs."""

    maximum_age_hours: Annotated[int, Field(ge=1, le=8760)] = 26
    """Age of the latest backup at which the alert MlflowBackupOld fires; more for schedules that are not daily.

    Only with ``monitoring.rules``.
    """


class BackupSettings(Section):
    """Dumps of both databases by ``mlflow-sso dump``; off unless ``target`` is set."""

    cluster: ClusterBackupSettings | None = None
    """Backups of the Cluster by CloudNativePG; null for none of ours."""

    target: BackupTarget | None = None
    """Bucket and prefix for dumps, in a bucket other than that of the artifacts; null for none."""

    endpoint: S3Endpoint | None = None
    """Address of the S3 API that holds ``target``; null for that of the artifacts."""

    region: Region | None = None
    """Region of the bucket; null for that of the artifacts."""

    credentials: Literal["keys", "service-account"] = "keys"
    """Access keys of the entry ``backup`` of the secret store, or a cloud identity of the ServiceAccount."""

    schedule: CronSchedule = "23 1 * * *"
    """When to dump, as a cron schedule in UTC."""

    keep_days: Annotated[int, Field(ge=1, le=3650)] = 14
    """Days after which a dump is deleted, once a newer one is complete."""

    keep_at_least: Annotated[int, Field(ge=1, le=1000)] = 3
    """Complete dumps that stay, whatever their age."""

    recipients: tuple[AgeRecipient, ...] = ()
    """age public keys to which dumps are encrypted; empty for dumps that are not."""

    before_migration: bool = True
    """Dump before a migration that changes a schema, too; the migration waits for it."""

    maximum_seconds: Annotated[int, Field(ge=60, le=86400)] = 14400
    """Seconds after which a scheduled dump is stopped."""
