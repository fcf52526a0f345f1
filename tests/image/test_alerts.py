"""The alerts, tried by Prometheus's own promtool: each fires when it should, and none while all is well."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from serving import Serving
from waiting import wait_for

from cdk8s_mlflow.alerts import alerts
from cdk8s_mlflow.settings import Settings
from live.servers.cache import debian_program

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SETTINGS = Settings.model_validate(
    {
        "release": "3.17.2",
        "ingress": {"host": "mlflow.example.com"},
        "authentication": {"keycloak_host": "auth.example.com"},
        "backup": {
            "target": "s3://dumps/mlflow",
            "cluster": {"target": "s3://backups/postgres", "schedule": "47 */6 * * *", "maximum_age_hours": 8},
        },
        "delivery": {"tools": ("flux", "argocd"), "repository": "https://git.example.com/mlflow.git"},
        "database": {"max_connections": 1000},
        "monitoring": {"rules": True},
        "server": {"autoscaling": {"max_replicas": 4}},
    }
)
NS = 'namespace="mlflow"'
OWN = NS + ',job="mlflow"'
REQUESTS = "mlflow_sso_requests_total{" + OWN
SECONDS = "mlflow_sso_request_duration_seconds"
REFUSALS = "mlflow_sso_refused_requests_total{" + OWN
ENDED = "mlflow_sso_program_last_end_timestamp_seconds{" + OWN
SUCCEEDED = "mlflow_sso_program_last_success_timestamp_seconds{" + OWN
CRON = f'{NS},cronjob="mlflow-gc"'
DUMP = f'{NS},cronjob="mlflow-dump"'
CLUSTER = 'namespace="postgres",pod="postgres-cluster-'
BACKUP = "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp"

FLUX = 'gotk_resource_info{name="mlflow-production-application",customresource_kind="Kustomization"'

HEALTHY = {
    f'up{{{NS},job="mlflow"}}': "1x900",
    f'{REQUESTS},status="2xx"}}': "0+600x900",
    f'{REQUESTS},status="5xx"}}': "0+1x900",
    f'{SECONDS}_count{{{OWN},rule="read run"}}': "0+600x900",
    f'{SECONDS}_bucket{{{OWN},rule="read run",le="2.5"}}': "0+599x900",
    f'{SECONDS}_count{{{OWN},rule="edit path below the artifact root"}}': "0+60x900",
    f'{SECONDS}_bucket{{{OWN},rule="edit path below the artifact root",le="2.5"}}': "0x900",
    f'{REFUSALS},reason="login",status="401"}}': "0+30x900",
    f'mlflow_sso_database_up{{{OWN},database="mlflow"}}': "1x900",
    f'mlflow_sso_schema_at_head{{{OWN},database="mlflow"}}': "1x900",
    f'mlflow_sso_database_connections{{{OWN},state="idle",pod="a"}}': "40x900",
    f'mlflow_sso_database_connections{{{OWN},state="idle",pod="b"}}': "41x900",
    f'mlflow_sso_database_connections{{{OWN},state="active",pod="b"}}': "30x900",
    f'mlflow_sso_database_connections_limit{{{OWN},pod="b"}}': "100x900",
    f'mlflow_sso_secrets_in_use{{{OWN},pod="a"}}': "1x900",
    f'mlflow_sso_secrets_in_use{{{OWN},pod="b"}}': "1x30 0x3 1x866",
    f'{ENDED},program="gc"}}': "300x900",
    f'{SUCCEEDED},program="gc"}}': "300x900",
    f'{ENDED},program="end-access"}}': "0+60x900",
    f'{SUCCEEDED},program="end-access"}}': "0+60x900",
    f'container_memory_working_set_bytes{{{NS},container="mlflow",pod="mlflow-7d9-x2v"}}': "800x900",
    f'kube_pod_container_resource_limits{{{NS},container="mlflow",pod="mlflow-7d9-x2v",resource="memory"}}': "1000x900",
    f'kube_pod_container_status_restarts_total{{{NS},container="mlflow",pod="mlflow-7d9-x2v"}}': "1x900",
    f'kube_horizontalpodautoscaler_status_current_replicas{{{NS},horizontalpodautoscaler="mlflow"}}': "3x900",
    f'kube_horizontalpodautoscaler_spec_max_replicas{{{NS},horizontalpodautoscaler="mlflow"}}': "4x900",
    f'kube_job_failed{{{NS},job_name="mlflow-db-migration-1",condition="true"}}': "0x900",
    f'kube_job_status_active{{{NS},job_name="mlflow-db-migration-1"}}': "0x900",
    f"kube_cronjob_status_last_schedule_time{{{CRON}}}": "0x900",
    f"kube_cronjob_status_last_successful_time{{{CRON}}}": "60x900",
    f"kube_cronjob_next_schedule_time{{{CRON}}}": "86400x900",
    f"kube_cronjob_status_last_schedule_time{{{DUMP}}}": "0x900",
    f"kube_cronjob_status_last_successful_time{{{DUMP}}}": "60x900",
    f"kube_cronjob_next_schedule_time{{{DUMP}}}": "86400x900",
    f'{BACKUP}{{{CLUSTER}1"}}': "10000x900",
    f'{BACKUP}{{{CLUSTER}2"}}': "0x900",
    f'externalsecret_status_condition{{{NS},name="mlflow-db-secret",condition="Ready",status="False"}}': "0x900",
    f'certmanager_certificate_expiration_timestamp_seconds{{{NS},name="mlflow-tls"}}': "9000000x900",
    f'{FLUX},ready="True"}}': "1x900",
    'argocd_app_info{name="mlflow-production",health_status="Healthy",sync_status="Synced"}': "1x900",
}
"""Ten hours and more, a value a minute; nothing may fire."""

NEIGHBOR = {
    f'up{{{NS},job="mlflow-b"}}': "0x900",
    f'mlflow_sso_requests_total{{{NS},job="mlflow-b",status="5xx"}}': "0+600x900",
    f'mlflow_sso_database_up{{{NS},job="mlflow-b",database="mlflow"}}': "0x900",
    f'mlflow_sso_secrets_in_use{{{NS},job="mlflow-b",pod="a"}}': "0x900",
    f'kube_pod_container_status_restarts_total{{{NS},container="mlflow",pod="mlflow-b-7d9-x2v"}}': "0+2x900",
    f'kube_job_failed{{{NS},job_name="mlflow-b-db-migration-1",condition="true"}}': "1x900",
    f'kube_cronjob_next_schedule_time{{{NS},cronjob="mlflow-b-gc"}}': "60x900",
    f'mlflow_sso_program_last_end_timestamp_seconds{{{NS},job="mlflow-b",program="gc"}}': "600x900",
    f'mlflow_sso_program_last_success_timestamp_seconds{{{NS},job="mlflow-b",program="end-access"}}': "60x900",
    f'{BACKUP}{{{CLUSTER}b-1"}}': "0x900",
    f'{BACKUP}{{namespace="data",pod="postgres-cluster-1"}}': "0x900",
    f'kube_cronjob_next_schedule_time{{{NS},cronjob="mlflow-b-dump"}}': "60x900",
    f'certmanager_certificate_expiration_timestamp_seconds{{{NS},name="mlflow-b-tls"}}': "500000x900",
}
"""Another installation in the same namespace, in which everything is broken."""

BROKEN: dict[str, dict[str, str]] = {
    "MlflowDown": {f'up{{{NS},job="mlflow"}}': "0x900"},
    "MlflowErrorsFast": {f'{REQUESTS},status="5xx"}}': "0+60x900"},
    "MlflowErrorsSlow": {f'{REQUESTS},status="5xx"}}': "0+60x900"},
    "MlflowSlow": {f'{SECONDS}_bucket{{{OWN},rule="read run",le="2.5"}}': "0+500x900"},
    "MlflowBusy": {f'{REFUSALS},reason="connections",status="503"}}': "0+30x900"},
    "MlflowManyRefusedLogins": {f'{REFUSALS},reason="login",status="401"}}': "0+600x900"},
    "MlflowDatabaseDown": {f'mlflow_sso_database_up{{{OWN},database="mlflow"}}': "0x900"},
    "MlflowSchemaBehind": {f'mlflow_sso_schema_at_head{{{OWN},database="mlflow"}}': "0x900"},
    "MlflowConnectionsNearlyUsed": {f'mlflow_sso_database_connections{{{OWN},state="active",pod="b"}}': "55x900"},
    "MlflowSecretsNotUsed": {f'mlflow_sso_secrets_in_use{{{OWN},pod="b"}}': "0x900"},
    "MlflowMemoryNearLimit": {
        f'container_memory_working_set_bytes{{{NS},container="mlflow",pod="mlflow-7d9-x2v"}}': "950x900"
    },
    "MlflowRestarting": {
        f'kube_pod_container_status_restarts_total{{{NS},container="mlflow",pod="mlflow-7d9-x2v"}}': "0+0.2x900"
    },
    "MlflowAtMaximumReplicas": {
        f'kube_horizontalpodautoscaler_status_current_replicas{{{NS},horizontalpodautoscaler="mlflow"}}': "4x900"
    },
    "MlflowMigrationFailed": {
        f'kube_job_failed{{{NS},job_name="mlflow-db-migration-1",condition="true"}}': "1x900",
    },
    "MlflowMigrationPending": {f'kube_job_status_active{{{NS},job_name="mlflow-db-migration-1"}}': "1x900"},
    "MlflowJobLate": {f"kube_cronjob_status_last_schedule_time{{{CRON}}}": "600x900"},
    "MlflowDumpMissing": {f"kube_cronjob_next_schedule_time{{{DUMP}}}": "60x900"},
    "MlflowProgramFailed": {f'{ENDED},program="gc"}}': "600x900"},
    "MlflowLeaversKeepAccess": {
        f'{ENDED},program="end-access"}}': "60x900",
        f'{SUCCEEDED},program="end-access"}}': "60x900",
    },
    "MlflowBackupOld": {f'{BACKUP}{{{CLUSTER}1"}}': "5000x900"},
    "MlflowSecretNotSynced": {
        f'externalsecret_status_condition{{{NS},name="mlflow-db-secret",condition="Ready",status="False"}}': "1x900"
    },
    "MlflowCertificateExpires": {
        f'certmanager_certificate_expiration_timestamp_seconds{{{NS},name="mlflow-tls"}}': "500000x900"
    },
    "MlflowNotReconciled": {
        f'{FLUX},ready="False"}}': "1x900",
    },
    "MlflowNotSynced": {
        'argocd_app_info{name="mlflow-production",health_status="Degraded",sync_status="Synced"}': "1x900"
    },
}
"""By alert: what is no longer as in HEALTHY."""

MINUTES = 600


def rules(settings: Settings = SETTINGS) -> dict[str, Any]:
    """A rules file of Prometheus."""
    listed = [
        {
            "alert": alert.name,
            "expr": alert.expr,
            "for": alert.lasts,
            "labels": {"severity": alert.severity},
            "annotations": {"summary": alert.summary},
        }
        for alert in alerts(settings, "production")
    ]
    return {"groups": [{"name": "mlflow", "rules": listed}]}


def firing(folder: Path, series: dict[str, str]) -> set[str]:
    """Names of the alerts that fire after ten hours of ``series``."""
    (folder / "rules.yml").write_text(yaml.safe_dump(rules()))
    (folder / "data.yml").write_text(
        yaml.safe_dump(
            {
                "rule_files": ["rules.yml"],
                "evaluation_interval": "1m",
                "tests": [
                    {
                        "interval": "1m",
                        "input_series": [{"series": name, "values": values} for name, values in series.items()],
                        # An expectation that fails makes promtool print what it found.
                        "promql_expr_test": [
                            {
                                "expr": 'ALERTS{alertstate="firing"}',
                                "eval_time": f"{MINUTES}m",
                                "exp_samples": [{"labels": "none{}", "value": 0}],
                            }
                        ],
                    }
                ],
            }
        )
    )
    command = [promtool(), "test", "rules", "data.yml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "parse" not in done.stdout + done.stderr, done.stdout + done.stderr
    found = (done.stdout + done.stderr).partition("got:")[2]
    return {part.partition('"')[0] for part in found.split('alertname="')[1:]}


def promtool() -> Path:
    return debian_program("promtool", package="prometheus")


def test_rules_are_accepted_by_promtool(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules()))

    done = subprocess.run(
        [promtool(), "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(BROKEN)} rules found" in done.stdout


def test_no_alert_fires_while_all_is_well(tmp_path: Path) -> None:
    assert firing(tmp_path, HEALTHY) == set()


def test_no_alert_fires_for_another_installation(tmp_path: Path) -> None:
    assert firing(tmp_path, {**HEALTHY, **NEIGHBOR}) == set()


@pytest.mark.parametrize("name", BROKEN)
def test_alert_fires_for_its_fault(tmp_path: Path, name: str) -> None:
    found = firing(tmp_path, {**HEALTHY, **BROKEN[name]})

    # Ten hours of errors exceed both windows.
    together = {"MlflowErrorsFast", "MlflowErrorsSlow"}
    assert found == (together if name in together else {name})


def reasons() -> set[str]:
    """By which the server counts requests that it refuses for its own sake; the module needs the image's packages."""
    source = (Path(__file__).parents[2] / "image/mlflow_sso/serve/admission.py").read_text()
    return set(re.findall(r'"(\w+)"', source.partition("\nREASONS = {")[2].partition("}")[0]))


# Requests that wait for Keycloak are no limit of the server.
@pytest.mark.parametrize("reason", sorted(reasons() - {"realm"}))
def test_every_limit_of_server_counts_as_busy(tmp_path: Path, reason: str) -> None:
    found = firing(tmp_path, {**HEALTHY, f'{REFUSALS},reason="{reason}",status="503"}}': "0+30x900"})

    assert found == {"MlflowBusy"}


def test_alerts_use_metrics_that_exist(server: Serving) -> None:
    with server.client("anna", "wrong") as client:
        client.get("/api/2.0/mlflow/experiments/search")
    # The first scrape only starts the reading of the databases.
    wait_for(lambda: "mlflow_sso_database_up" in server.metrics())
    text = server.metrics()

    used = {name for alert in alerts(SETTINGS, "production") for name in names(alert.expr)}

    assert used
    assert {name for name in used if name not in text} == set()


def names(expression: str) -> set[str]:
    """Metrics of ours in an expression."""
    return set(re.findall(r"mlflow_sso_\w+", expression))
