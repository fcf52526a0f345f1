"""Backups of the CloudNativePG Cluster: on a schedule, before each migration, and where the plugin keeps them."""

import hashlib
import json

from constructs import Construct

from cdk8s_mlflow.metadata import WAVE_BACKUP, WAVE_CONFIGURATION, resource_metadata
from cdk8s_mlflow.migration import migration_name
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.backup import ClusterBackupSettings
from cdk8s_mlflow.settings.database import DatabaseSettings
from cdk8s_mlflow_crds.io.cnpg import barmancloud
from cdk8s_mlflow_crds.io.cnpg import postgresql as cnpg

PLUGIN = "barman-cloud.cloudnative-pg.io"


class ClusterBackup(Construct):
    """What CloudNativePG backs up, in the namespace of the Cluster, which its owner lets archive (see the guide)."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, backup: ClusterBackupSettings) -> None:
        super().__init__(scope, id)
        if backup.target:
            _object_store(self, settings.database, backup, backup.target)
        if backup.schedule:
            _scheduled(self, settings.database, backup, backup.schedule)
        if backup.before_migration:
            _before_migration(self, settings, backup)


def _object_store(scope: Construct, database: DatabaseSettings, backup: ClusterBackupSettings, target: str) -> None:
    barmancloud.ObjectStore(
        scope,
        "ObjectStore",
        metadata=resource_metadata(database.backup_name, namespace=database.cluster_namespace, wave=WAVE_CONFIGURATION),
        spec=barmancloud.ObjectStoreSpec(
            # The plugin takes it beside `configuration`, not inside it as the in-tree barman of CloudNativePG did.
            retention_policy=f"{backup.keep_days}d",
            configuration=barmancloud.ObjectStoreSpecConfiguration(
                destination_path=target,
                endpoint_url=backup.endpoint,
                s3_credentials=_credentials(database, backup),
                wal=barmancloud.ObjectStoreSpecConfigurationWal(
                    compression=barmancloud.ObjectStoreSpecConfigurationWalCompression.GZIP
                ),
                data=barmancloud.ObjectStoreSpecConfigurationData(
                    compression=barmancloud.ObjectStoreSpecConfigurationDataCompression.GZIP
                ),
            ),
        ),
    )


def _credentials(
    database: DatabaseSettings, backup: ClusterBackupSettings
) -> barmancloud.ObjectStoreSpecConfigurationS3Credentials:
    credentials = barmancloud.ObjectStoreSpecConfigurationS3Credentials
    if backup.credentials == "service-account":
        # The identity is that of the Cluster's pods, which its owner annotates; nothing of ours runs there.
        return credentials(inherit_from_iam_role=True)
    secret = database.backup_name
    return credentials(
        access_key_id=barmancloud.ObjectStoreSpecConfigurationS3CredentialsAccessKeyId(
            name=secret, key="ACCESS_KEY_ID"
        ),
        secret_access_key=barmancloud.ObjectStoreSpecConfigurationS3CredentialsSecretAccessKey(
            name=secret, key="ACCESS_SECRET_KEY"
        ),
        # The plugin reads the region only from a Secret, although it is none.
        region=barmancloud.ObjectStoreSpecConfigurationS3CredentialsRegion(name=secret, key="REGION"),
    )


def _scheduled(scope: Construct, database: DatabaseSettings, backup: ClusterBackupSettings, schedule: str) -> None:
    plugin = backup.method == "plugin"
    cnpg.ScheduledBackup(
        scope,
        "Scheduled",
        metadata=resource_metadata(database.backup_name, namespace=database.cluster_namespace, wave=WAVE_BACKUP),
        spec=cnpg.ScheduledBackupSpec(
            cluster=cnpg.ScheduledBackupSpecCluster(name=database.cluster),
            # CloudNativePG's schedules have the seconds in front.
            schedule=f"0 {schedule}",
            # A Cluster without a base backup cannot be recovered, however much of its log is archived.
            immediate=True,
            method=cnpg.ScheduledBackupSpecMethod.PLUGIN if plugin else cnpg.ScheduledBackupSpecMethod.VOLUME_SNAPSHOT,
            plugin_configuration=cnpg.ScheduledBackupSpecPluginConfiguration(name=PLUGIN) if plugin else None,
        ),
    )


def _before_migration(scope: Construct, settings: Settings, backup: ClusterBackupSettings) -> None:
    database, plugin = settings.database, backup.method == "plugin"
    spec = cnpg.BackupSpec(
        cluster=cnpg.BackupSpecCluster(name=database.cluster),
        method=cnpg.BackupSpecMethod.PLUGIN if plugin else cnpg.BackupSpecMethod.VOLUME_SNAPSHOT,
        plugin_configuration=cnpg.BackupSpecPluginConfiguration(name=PLUGIN) if plugin else None,
    )
    cnpg.Backup(
        scope,
        "BeforeMigration",
        metadata=resource_metadata(
            # The Cluster's namespace may hold the backups of other instances, too.
            f"{database.object_name}-{_digest(settings, backup)}",
            namespace=database.cluster_namespace,
            # After the databases, so that the first base backup holds them.
            wave=WAVE_BACKUP,
        ),
        spec=spec,
    )


def _digest(settings: Settings, backup: ClusterBackupSettings) -> str:
    """A new name for each migration Job, and for another spec, since a Backup cannot change."""
    content = [migration_name(settings), settings.database.cluster, backup.method]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:10]
