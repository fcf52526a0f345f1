"""The PrometheusRule: off by default, valid, and each alert has a page that says what to do."""

from pathlib import Path
from typing import Any

import pytest

from cdk8s_mlflow.alert import runbook
from cdk8s_mlflow.alerts import alerts
from cdk8s_mlflow.settings import Settings
from tests.manifests.objects import Objects, Render

ROOT = Path(__file__).parents[2]
EVERYTHING = {
    "release": "3.17.2",
    "ingress": {"host": "mlflow.example.com"},
    "authentication": {"keycloak_host": "auth.example.com"},
    "backup": {"target": "s3://dumps/mlflow", "cluster": {"target": "s3://backups/postgres"}},
    "delivery": {"tools": ("flux", "argocd"), "repository": "https://git.example.com/mlflow.git"},
    "database": {"max_connections": 1000},
    "server": {"autoscaling": {"max_replicas": 4}},
}
NAMES = [alert.name for alert in alerts(Settings.model_validate(EVERYTHING), "production")]


def rules(objects: Objects) -> dict[str, dict[str, Any]]:
    (found,) = [item for (kind, _, _), item in objects.items() if kind == "PrometheusRule"]
    return {rule["alert"]: rule for group in found["spec"]["groups"] for rule in group["rules"]}


def test_rules_are_off_by_default(rendered: Render) -> None:
    assert not [name for kind, _, name in rendered() if kind == "PrometheusRule"]


def test_rules_name_severity_team_and_page(rendered: Render) -> None:
    monitoring = {"rules": True, "alert_labels": {"team": "ml"}, "runbooks": "https://runbooks.example.com/mlflow/"}

    found = rules(rendered(monitoring=monitoring))

    assert found["MlflowDown"]["labels"] == {"severity": "critical", "team": "ml", "mlflow_instance": "mlflow"}
    assert found["MlflowDown"]["for"] == "5m"
    assert found["MlflowDown"]["annotations"]["runbook_url"] == "https://runbooks.example.com/mlflow/down"
    assert found["MlflowDown"]["annotations"]["runbook"] == "docs/runbooks/down.md"


def test_same_alert_of_two_environments_stays_two(rendered: Render) -> None:
    one = rules(rendered(monitoring={"rules": True}))
    other = rules(rendered(monitoring={"rules": True}, instance="mlflow-staging"))

    assert one.keys() == other.keys()
    # Alertmanager takes alerts with equal labels for one, whatever their expressions are.
    assert [name for name in one if one[name]["labels"] == other[name]["labels"]] == []


def test_rules_follow_what_is_switched_on(rendered: Render) -> None:
    monitoring = {"rules": True}

    plain = rules(rendered(monitoring=monitoring))
    dumping = rules(rendered(monitoring=monitoring, backup={"target": "s3://dumps/mlflow"}))

    assert dumping.keys() - plain.keys() == {"MlflowDumpMissing"}
    assert "MlflowAtMaximumReplicas" not in plain


@pytest.mark.parametrize(
    ("method", "metric"),
    [
        ("plugin", "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp"),
        ("volume-snapshot", "cnpg_collector_last_available_backup_timestamp"),
    ],
)
def test_rules_watch_backups_of_the_cluster(rendered: Render, method: str, metric: str) -> None:
    database, cluster = {"cluster": "team-db", "cluster_namespace": "data"}, {"method": method, "maximum_age_hours": 30}

    found = rules(rendered(monitoring={"rules": True}, database=database, backup={"cluster": cluster}))

    expression = found["MlflowBackupOld"]["expr"]
    # 30 hours, in seconds.
    assert f'{metric}{{namespace="data",pod=~"team-db-[0-9]+"}}) > 108000' in expression


@pytest.mark.parametrize("schedule", ["47 0 * * 0", "47 0 1 * *", "47 0 */2 * *"])
def test_rules_need_age_of_rare_backups(rendered: Render, schedule: str) -> None:
    cluster = {"target": "s3://backups/postgres", "schedule": schedule}

    with pytest.raises(ValueError, match=r"maximum_age_hours.* is not daily"):
        rendered(monitoring={"rules": True}, backup={"cluster": cluster})

    assert rendered(monitoring={"rules": True}, backup={"cluster": {**cluster, "maximum_age_hours": 750}})
    assert rendered(backup={"cluster": cluster})


def test_rules_watch_only_their_namespace(rendered: Render) -> None:
    found = rules(rendered(instance="mlflow-team", monitoring={"rules": True}))

    own = {
        name: rule["expr"] for name, rule in found.items() if "mlflow_sso" in rule["expr"] or "kube_" in rule["expr"]
    }
    assert own
    assert all('namespace="mlflow-team"' in expr for expr in own.values())


def test_objectives_set_the_thresholds(rendered: Render) -> None:
    found = rules(rendered(monitoring={"rules": True, "availability_percent": 99.9, "latency_seconds": "1.0"}))

    # 14.4 times the budget of 0.1 %, as the SRE workbook has it for alerts that page.
    assert "> 0.0144 " in found["MlflowErrorsFast"]["expr"]
    assert 'le="1.0"' in found["MlflowSlow"]["expr"]


@pytest.mark.parametrize("name", NAMES)
def test_alert_has_a_page(name: str) -> None:
    text = (ROOT / "docs/runbooks" / f"{runbook(name)}.md").read_text()

    assert text.startswith(f"# {name}\n")
    assert "\n## Look\n" in text
    assert "\n## Do\n" in text


def test_no_page_is_left_over() -> None:
    pages = {page.stem for page in (ROOT / "docs/runbooks").glob("*.md")} - {"index"}

    assert pages == {runbook(name) for name in NAMES}
