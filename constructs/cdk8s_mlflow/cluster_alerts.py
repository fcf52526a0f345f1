"""What an operator has to know that others measure: kube-state-metrics, kubelet, operators, Flux and Argo CD.

An alert stays silent if its metric is not exported.
"""

from collections.abc import Iterator
from typing import Literal

from cdk8s_mlflow.alert import Alert
from cdk8s_mlflow.settings import Settings


def pods(settings: Settings) -> Iterator[Alert]:
    # Two hashes follow the Deployment's name; a pattern without them would match the pods of CronJobs, too.
    here = f'namespace="{settings.namespace}",pod=~"{settings.name}-[0-9a-z]+-[0-9a-z]+",container="mlflow"'
    # The two metrics bear other labels; only those of the pod are left, so that they can be divided.
    memory = f"max by (pod) (container_memory_working_set_bytes{{{here}}})"
    limit = f'max by (pod) (kube_pod_container_resource_limits{{{here},resource="memory"}})'
    yield Alert(
        name="MlflowMemoryNearLimit",
        expr=f"{memory} / {limit} > 0.9",
        lasts="15m",
        severity="warning",
        summary="{{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory limit",
    )
    yield Alert(
        name="MlflowRestarting",
        expr=f"increase(kube_pod_container_status_restarts_total{{{here}}}[30m]) > 2",
        lasts="0m",
        severity="critical",
        summary="{{ $labels.pod }} was restarted {{ $value | humanize }} times in half an hour",
    )
    if settings.server.autoscaling is not None:
        scaler = f'namespace="{settings.namespace}",horizontalpodautoscaler="{settings.name}"'
        now = f"kube_horizontalpodautoscaler_status_current_replicas{{{scaler}}}"
        yield Alert(
            name="MlflowAtMaximumReplicas",
            expr=f"{now} >= kube_horizontalpodautoscaler_spec_max_replicas{{{scaler}}}",
            lasts="1h",
            severity="warning",
            summary="the autoscaler has reached its maximum of {{ $value }} replicas",
        )


def jobs(settings: Settings) -> Iterator[Alert]:
    namespace = f'namespace="{settings.namespace}"'
    migration = f'{namespace},job_name=~"{settings.name}-db-migration-.*"'
    yield Alert(
        name="MlflowMigrationFailed",
        # kube_job_status_failed counts failed pods, of which a Job that goes on to succeed has some.
        expr=f'kube_job_failed{{{migration},condition="true"}} == 1',
        lasts="0m",
        severity="critical",
        summary="the migration {{ $labels.job_name }} has failed",
    )
    yield Alert(
        name="MlflowMigrationPending",
        # A Job that waits for PostgreSQL neither fails nor ends: exit code 75 is not counted by its podFailurePolicy.
        expr=f"kube_job_status_active{{{migration}}} > 0",
        lasts="1h",
        severity="warning",
        summary="the migration {{ $labels.job_name }} has not ended for an hour",
    )
    jobs = f'cronjob=~"{settings.name}-(gc|prune-sessions|end-access)"'
    yield _late(settings, "MlflowJobLate", jobs, "warning", "1h15m")
    if settings.backup.target:
        # A dump that is still within its own deadline is not late.
        lasts = f"{settings.backup.maximum_seconds // 60 + 15}m"
        yield _late(settings, "MlflowDumpMissing", f'cronjob="{settings.name}-dump"', "critical", lasts)


def _late(settings: Settings, name: str, which: str, severity: Literal["critical", "warning"], lasts: str) -> Alert:
    """A CronJob whose latest run has not succeeded, or that was not started when it was due, whatever its schedule."""
    here = f'namespace="{settings.namespace}",{which}'
    started = f"max by (cronjob) (kube_cronjob_status_last_schedule_time{{{here}}})"
    succeeded = f"max by (cronjob) (kube_cronjob_status_last_successful_time{{{here}}})"
    # An hour is the CronJob's startingDeadlineSeconds: until then the controller may still start a missed run.
    due = f"time() - max by (cronjob) (kube_cronjob_next_schedule_time{{{here}}}) > 3600"
    return Alert(
        name=name,
        expr=f"({started} unless on (cronjob) {succeeded} >= {started}) or ({due})",
        lasts=lasts,
        severity=severity,
        summary="the latest run of {{ $labels.cronjob }} did not succeed, or it was not started",
    )


_LAST_BACKUP = {
    "plugin": "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
    "volume-snapshot": "cnpg_collector_last_available_backup_timestamp",
}
"""By method, what an instance says of its Cluster, 0 if there is no backup yet (plugin-barman-cloud, "Observability";
CloudNativePG, "Monitoring")."""


def cluster_backups(settings: Settings) -> Iterator[Alert]:
    backup, database = settings.backup.cluster, settings.database
    if backup is None:
        return
    # Instances are called by the Cluster's name and a number; every
    # instance exports the metric, a replica perhaps an older value.
    here = f'namespace="{database.cluster_namespace}",pod=~"{database.cluster}-[0-9]+"'
    yield Alert(
        name="MlflowBackupOld",
        expr=f"time() - max({_LAST_BACKUP[backup.method]}{{{here}}}) > {backup.maximum_age_hours * 3600}",
        lasts="15m",
        severity="critical",
        summary=f"the latest backup of the Cluster {database.cluster} is {{{{ $value | humanizeDuration }}}} old",
    )


def operators(settings: Settings) -> Iterator[Alert]:
    # The role's Secret and those of backups are synced in the namespace of the Cluster.
    namespaces = {settings.namespace, settings.database.cluster_namespace}
    here = f'namespace=~"{"|".join(sorted(namespaces))}"'
    if settings.secrets.mode == "external-secrets":
        names = f"{settings.name}-.*|{settings.database.role_secret}"
        yield Alert(
            name="MlflowSecretNotSynced",
            expr=f'externalsecret_status_condition{{{here},name=~"{names}",condition="Ready",status="False"}} == 1',
            lasts="15m",
            severity="warning",
            summary="the ExternalSecret {{ $labels.name }} in {{ $labels.namespace }} is not ready",
        )
    if settings.ingress.enabled:
        secret = settings.ingress.certificate_secret
        # cert-manager names a Certificate that an Ingress asks for as its Secret.
        own = f'namespace="{settings.namespace}"' + (f',name="{secret}"' if secret else "")
        expiry = f"certmanager_certificate_expiration_timestamp_seconds{{{own}}}"
        yield Alert(
            name="MlflowCertificateExpires",
            expr=f"{expiry} - time() < 7 * 86400",
            lasts="1h",
            severity="warning",
            summary="the certificate {{ $labels.name }} expires in {{ $value | humanizeDuration }}",
        )


def delivery(settings: Settings, environment: str) -> Iterator[Alert]:
    name = settings.delivery_name(environment)
    if "flux" in settings.delivery.tools:
        flux = f'name=~"{name}.*"'
        yield Alert(
            name="MlflowNotReconciled",
            expr=(
                # The first metric is Flux's own, up to 2.0; of newer ones kube-state-metrics exports the second.
                f'gotk_reconcile_condition{{{flux},kind="Kustomization",type="Ready",status="False"}} == 1'
                f' or gotk_resource_info{{{flux},customresource_kind="Kustomization",ready="False"}} == 1'
            ),
            lasts="30m",
            severity="warning",
            summary="Flux's Kustomization {{ $labels.name }} is not ready",
        )
    if "argocd" in settings.delivery.tools:
        yield Alert(
            name="MlflowNotSynced",
            expr=(
                f'argocd_app_info{{name="{name}",health_status!="Healthy"}}'
                f' or argocd_app_info{{name="{name}",sync_status!="Synced"}}'
            ),
            lasts="30m",
            severity="warning",
            summary="Argo CD's Application {{ $labels.name }} is not healthy and synced",
        )
