"""What an operator has to know of, as Prometheus rules; each alert has a page in docs/runbooks/.

Metrics named ``mlflow_sso_…`` are the server's own. Those of Kubernetes come from kube-state-metrics, the others from
External Secrets, cert-manager, Flux and Argo CD; an alert stays silent if its metric is not exported.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cdk8s_mlflow.settings import Settings

ARTIFACT_RULES = ".*artifact root|open"
"""Rules whose requests take as long as a file is large, or are static."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One rule; ``lasts`` is how long ``expr`` must hold, in Prometheus's notation."""

    name: str
    expr: str
    lasts: str
    severity: Literal["critical", "warning", "info"]
    summary: str
    """One line; Prometheus fills in ``{{ $labels.… }}`` and ``{{ $value }}``."""


def alerts(settings: Settings, environment: str | None) -> tuple[Alert, ...]:
    """All alerts of an environment, in the order in which a reader looks for them."""
    return (
        *_availability(settings),
        *_service_quality(settings),
        *_databases(settings),
        *_pods(settings),
        *_jobs(settings),
        *_cluster_backups(settings),
        *_operators(settings),
        *(_delivery(settings, environment) if environment else ()),
    )


def _own_metrics(settings: Settings) -> str:
    """What the metrics of this server bear; Prometheus calls a job as the Service that it scrapes."""
    return f'namespace="{settings.namespace}",job="{settings.metrics_service}"'


def _availability(settings: Settings) -> Iterator[Alert]:
    here, monitoring = _own_metrics(settings), settings.monitoring
    yield Alert(
        name="MlflowDown",
        expr=f"absent(up{{{here}}} == 1)",
        lasts="5m",
        severity="critical",
        summary="no pod of MLflow answers Prometheus",
    )
    budget = round(1 - monitoring.availability_percent / 100, 6)
    for name, factor, long, short, lasts, severity in _BURN_RATES:
        yield Alert(
            name=name,
            expr=f"{_errors(here, long)} > {factor * budget:.6g} and {_errors(here, short)} > {factor * budget:.6g}",
            lasts=lasts,
            severity=severity,
            summary=f"requests fail {factor} times as often as {monitoring.availability_percent} % availability allows",
        )


def _service_quality(settings: Settings) -> Iterator[Alert]:
    here, monitoring = _own_metrics(settings), settings.monitoring
    rules = f'{here},rule!~"{ARTIFACT_RULES}"'
    fast = f'sum(rate(mlflow_sso_request_duration_seconds_bucket{{{rules},le="{monitoring.latency_seconds}"}}[10m]))'
    every = f"sum(rate(mlflow_sso_request_duration_seconds_count{{{rules}}}[10m]))"
    yield Alert(
        name="MlflowSlow",
        expr=f"1 - {fast} / {every} > 0.05 and {every} > 0.05",
        lasts="15m",
        severity="warning",
        summary=f"more than 5 % of requests take longer than {monitoring.latency_seconds} s",
    )
    busy = f'sum(rate(mlflow_sso_refused_requests_total{{{here},reason=~"connections|key_checks|room"}}[10m]))'
    yield Alert(
        name="MlflowBusy",
        expr=f"{busy} > 0.1",
        lasts="10m",
        severity="warning",
        summary="requests are refused because there are too many at once",
    )
    refused = f'sum(rate(mlflow_sso_refused_requests_total{{{here},reason="login"}}[10m]))'
    yield Alert(
        name="MlflowManyRefusedLogins",
        expr=f"{refused} > 5",
        lasts="15m",
        severity="warning",
        summary="{{ $value | humanize }} requests a second show no login or a wrong one",
    )


_BURN_RATES: tuple[tuple[str, float, str, str, str, Literal["critical", "warning"]], ...] = (
    ("MlflowErrorsFast", 14.4, "1h", "5m", "2m", "critical"),
    ("MlflowErrorsSlow", 6, "6h", "30m", "15m", "warning"),
)
"""Name, multiple of the budget's even use, both windows, and for how long (Site Reliability Workbook, chapter 5)."""


def _errors(here: str, window: str) -> str:
    # server.read_only refuses on purpose.
    counted = f'{here},rule!="read only"'
    total = f"sum(rate(mlflow_sso_requests_total{{{counted}}}[{window}]))"
    return f'sum(rate(mlflow_sso_requests_total{{{counted},status="5xx"}}[{window}])) / {total}'


def _databases(settings: Settings) -> Iterator[Alert]:
    here = _own_metrics(settings)
    yield Alert(
        name="MlflowDatabaseDown",
        expr=f"max by (database) (mlflow_sso_database_up{{{here}}}) == 0",
        lasts="3m",
        severity="critical",
        summary="PostgreSQL does not answer for {{ $labels.database }}",
    )
    yield Alert(
        name="MlflowSchemaBehind",
        expr=f"min by (database) (mlflow_sso_schema_at_head{{{here}}}) == 0",
        lasts="30m",
        severity="warning",
        summary="{{ $labels.database }} does not have the schema of the image that serves it",
    )
    used = f"sum(max by (state) (mlflow_sso_database_connections{{{here}}}))"
    yield Alert(
        name="MlflowConnectionsNearlyUsed",
        expr=f"{used} / max(mlflow_sso_database_connections_limit{{{here}}}) > 0.9",
        lasts="10m",
        severity="warning",
        summary="the role uses {{ $value | humanizePercentage }} of the connections that PostgreSQL grants",
    )


def _pods(settings: Settings) -> Iterator[Alert]:
    here = f'namespace="{settings.namespace}",pod=~"{settings.name}-[0-9a-z]+-[0-9a-z]+",container="mlflow"'
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


def _jobs(settings: Settings) -> Iterator[Alert]:
    namespace = f'namespace="{settings.namespace}"'
    migration = f'{namespace},job_name=~"{settings.name}-db-migration-.*"'
    yield Alert(
        name="MlflowMigrationFailed",
        expr=f'kube_job_failed{{{migration},condition="true"}} == 1',
        lasts="0m",
        severity="critical",
        summary="the migration {{ $labels.job_name }} has failed",
    )
    yield Alert(
        name="MlflowMigrationPending",
        expr=f"kube_job_status_active{{{migration}}} > 0",
        lasts="1h",
        severity="warning",
        summary="the migration {{ $labels.job_name }} has not ended for an hour",
    )
    jobs = f'cronjob=~"{settings.name}-(gc|prune-sessions|end-access)"'
    yield _late(settings, "MlflowJobLate", jobs, "warning", "1h15m")
    if settings.backup.target:
        lasts = f"{settings.backup.maximum_seconds // 60 + 15}m"
        yield _late(settings, "MlflowDumpMissing", f'cronjob="{settings.name}-dump"', "critical", lasts)
    yield from _outcomes(settings)


def _outcomes(settings: Settings) -> Iterator[Alert]:
    """What the programs themselves have written down, which needs no kube-state-metrics."""
    here, metric = _own_metrics(settings), "mlflow_sso_program_last"
    ended = f"max by (program) ({metric}_end_timestamp_seconds{{{here}}})"
    yield Alert(
        name="MlflowProgramFailed",
        expr=f"{ended} unless max by (program) ({metric}_success_timestamp_seconds{{{here}}}) >= {ended}",
        lasts="1h15m",
        severity="warning",
        summary="the latest run of mlflow-sso {{ $labels.program }} failed",
    )
    if settings.ends_access:
        yield Alert(
            name="MlflowLeaversKeepAccess",
            expr=f'time() - max({metric}_success_timestamp_seconds{{{here},program="end-access"}}) > 3 * 3600',
            lasts="5m",
            severity="critical",
            summary="for {{ $value | humanizeDuration }} nobody has looked for users who have left",
        )


def _late(settings: Settings, name: str, which: str, severity: Literal["critical", "warning"], lasts: str) -> Alert:
    """A CronJob whose latest run has not succeeded, or that was not started when it was due, whatever its schedule."""
    here = f'namespace="{settings.namespace}",{which}'
    started = f"max by (cronjob) (kube_cronjob_status_last_schedule_time{{{here}}})"
    succeeded = f"max by (cronjob) (kube_cronjob_status_last_successful_time{{{here}}})"
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


def _cluster_backups(settings: Settings) -> Iterator[Alert]:
    backup, database = settings.backup.cluster, settings.database
    if backup is None:
        return
    here = f'namespace="{database.cluster_namespace}",pod=~"{database.cluster}-[0-9]+"'
    yield Alert(
        name="MlflowBackupOld",
        expr=f"time() - max({_LAST_BACKUP[backup.method]}{{{here}}}) > {backup.maximum_age_hours * 3600}",
        lasts="15m",
        severity="critical",
        summary=f"the latest backup of the Cluster {database.cluster} is {{{{ $value | humanizeDuration }}}} old",
    )


def _operators(settings: Settings) -> Iterator[Alert]:
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
        own = f'namespace="{settings.namespace}"' + (f',name="{secret}"' if secret else "")
        expiry = f"certmanager_certificate_expiration_timestamp_seconds{{{own}}}"
        yield Alert(
            name="MlflowCertificateExpires",
            expr=f"{expiry} - time() < 7 * 86400",
            lasts="1h",
            severity="warning",
            summary="the certificate {{ $labels.name }} expires in {{ $value | humanizeDuration }}",
        )


def _delivery(settings: Settings, environment: str) -> Iterator[Alert]:
    name = settings.delivery_name(environment)
    if "flux" in settings.delivery.tools:
        flux = f'name=~"{name}.*"'
        yield Alert(
            name="MlflowNotReconciled",
            expr=(
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
