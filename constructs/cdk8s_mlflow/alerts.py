"""What an operator has to know of, as Prometheus rules; each alert has a page in docs/runbooks/.

Those of this module read the server's own metrics, ``mlflow_sso_…``; ``cluster_alerts`` has those that others measure.
"""

from collections.abc import Iterator
from typing import Literal

from cdk8s_mlflow.alert import Alert
from cdk8s_mlflow.cluster_alerts import cluster_backups, delivery, jobs, operators, pods
from cdk8s_mlflow.settings import Settings

ARTIFACT_RULES = ".*artifact root|open"
"""Rules whose requests take as long as a file is large, or are static."""


def alerts(settings: Settings, environment: str | None) -> tuple[Alert, ...]:
    """All alerts of an environment, in the order in which a reader looks for them."""
    return (
        *_availability(settings),
        *_service_quality(settings),
        *_databases(settings),
        *_secrets(settings),
        *pods(settings),
        *jobs(settings),
        *_outcomes(settings),
        *cluster_backups(settings),
        *operators(settings),
        *(delivery(settings, environment) if environment else ()),
    )


def own_metrics(settings: Settings) -> str:
    """What the metrics of this server bear; Prometheus calls a job as the Service that it scrapes."""
    return f'namespace="{settings.namespace}",job="{settings.metrics_service}"'


def _availability(settings: Settings) -> Iterator[Alert]:
    here, monitoring = own_metrics(settings), settings.monitoring
    yield Alert(
        name="MlflowDown",
        # absent() also fires if the target itself is gone, as after
        # a wrong label of the ServiceMonitor; up == 0 would not.
        expr=f"absent(up{{{here}}} == 1)",
        lasts="5m",
        severity="critical",
        summary="no pod of MLflow answers Prometheus",
    )
    # Subtraction of floats leaves digits that would stand in the rendered rule.
    budget = round(1 - monitoring.availability_percent / 100, 6)
    for name, factor, long, short, lasts, severity in _BURN_RATES:
        yield Alert(
            name=name,
            # The short window ends the alert soon after the errors
            # end; with only the long one it would go on for hours.
            expr=f"{_errors(here, long)} > {factor * budget:.6g} and {_errors(here, short)} > {factor * budget:.6g}",
            lasts=lasts,
            severity=severity,
            summary=f"requests fail {factor} times as often as {monitoring.availability_percent} % availability allows",
        )


def _service_quality(settings: Settings) -> Iterator[Alert]:
    here, monitoring = own_metrics(settings), settings.monitoring
    rules = f'{here},rule!~"{ARTIFACT_RULES}"'
    fast = f'sum(rate(mlflow_sso_request_duration_seconds_bucket{{{rules},le="{monitoring.latency_seconds}"}}[10m]))'
    every = f"sum(rate(mlflow_sso_request_duration_seconds_count{{{rules}}}[10m]))"
    yield Alert(
        name="MlflowSlow",
        # A share of few requests says nothing: one slow request at night would be 100 %.
        expr=f"1 - {fast} / {every} > 0.05 and {every} > 0.05",
        lasts="15m",
        severity="warning",
        summary=f"more than 5 % of requests take longer than {monitoring.latency_seconds} s",
    )
    # These reasons are limits of the server; the others are faults of the request, or of Keycloak.
    busy = f'sum(rate(mlflow_sso_refused_requests_total{{{here},reason=~"connections|key_checks|room|work"}}[10m]))'
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
    here = own_metrics(settings)
    yield Alert(
        name="MlflowDatabaseDown",
        # Zero only if no pod reaches PostgreSQL: one that cannot has a fault of its own node.
        expr=f"max by (database) (mlflow_sso_database_up{{{here}}}) == 0",
        lasts="3m",
        severity="critical",
        summary="PostgreSQL does not answer for {{ $labels.database }}",
    )
    yield Alert(
        name="MlflowSchemaBehind",
        expr=f"min by (database) (mlflow_sso_schema_at_head{{{here}}}) == 0",
        # An image that is rolled out before its migration has ended is behind for as long as that takes.
        lasts="30m",
        severity="warning",
        summary="{{ $labels.database }} does not have the schema of the image that serves it",
    )
    # Every pod reports the connections of the whole role, so a sum over pods would count them once a replica.
    used = f"sum(max by (state) (mlflow_sso_database_connections{{{here}}}))"
    yield Alert(
        name="MlflowConnectionsNearlyUsed",
        expr=f"{used} / max(mlflow_sso_database_connections_limit{{{here}}}) > 0.9",
        lasts="10m",
        severity="warning",
        summary="the role uses {{ $value | humanizePercentage }} of the connections that PostgreSQL grants",
    )


def _secrets(settings: Settings) -> Iterator[Alert]:
    """Of values that were changed while pods run."""
    yield Alert(
        name="MlflowSecretsNotUsed",
        expr=f"min by (pod) (mlflow_sso_secrets_in_use{{{own_metrics(settings)}}}) == 0",
        # Longer than the pods of a Deployment take for their replacement, one after the other.
        lasts="5m",
        severity="warning",
        summary="{{ $labels.pod }} goes on with the earlier values of a Secret that has changed",
    )


def _outcomes(settings: Settings) -> Iterator[Alert]:
    """What the programs themselves have written down, which needs no kube-state-metrics."""
    here, metric = own_metrics(settings), "mlflow_sso_program_last"
    ended = f"max by (program) ({metric}_end_timestamp_seconds{{{here}}})"
    yield Alert(
        name="MlflowProgramFailed",
        # A program that has never succeeded has no series on the right, so that `unless` keeps it, and the alert fires.
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
            summary="for {{ $value | humanizeDuration }} no run of mlflow-sso end-access has succeeded",
        )
