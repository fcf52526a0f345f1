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


class BackupSettings(Section):
    """Dumps of both databases by ``mlflow-sso dump``; off unless ``target`` is set."""

    target: BackupTarget | None = None
    """Bucket and prefix for dumps, in a bucket other than that of the artifacts; null for none."""

    endpoint: S3Endpoint | None = None
    """Address of the S3 API that holds ``target``; null for that of the artifacts."""

    region: Annotated[str, matching(r"[a-z0-9-]{1,40}", "us-east-1")] | None = None
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
