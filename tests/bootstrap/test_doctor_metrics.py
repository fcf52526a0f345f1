"""The lines of doctor about metrics and alerts: from a real Prometheus."""

import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from doctor_lines import asked
from served import serving_http

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.doctor.checks import metrics
from mlflow_bootstrap.doctor.line import State
from testbed.servers import Prometheus

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]


class Metrics(BaseHTTPRequestHandler):
    """A page of metrics."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"mlflow_sso_requests_total 1\n")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[int]:
    with serving_http(Metrics) as port:
        yield port


@pytest.mark.parametrize(
    ("namespace", "is_up", "state", "seen"),
    [
        ("mlflow", True, State.OK, "1 pods are scraped"),
        ("mlflow", False, State.FAILED, "1 of 1 pods cannot be scraped"),
        ("another", True, State.FAILED, "Prometheus has no target"),
    ],
)
def test_doctor_asks_prometheus(
    settings_of: SettingsOf, page: int, namespace: str, is_up: bool, state: State, seen: str
) -> None:
    labels = {"namespace": namespace, "service": "mlflow"}
    target = f"127.0.0.1:{page if is_up else 9}"
    with Prometheus(targets={target: labels}) as prometheus:
        # The first scrape comes some time after the start.
        while not prometheus.query("up"):
            time.sleep(0.1)
        (line,) = asked(settings_of(), metrics.scraped, PROMETHEUS_URL=prometheus.url)

    assert (line.state, line.seen.startswith(seen)) == (state, True), line


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        ("mlflow", [(State.FAILED, "alert MlflowDown", "docs/runbooks/down.md")]),
        # Another environment of the cluster.
        ("mlflow-staging", [(State.OK, "alerts", "")]),
    ],
)
def test_doctor_names_alerts_that_fire(
    settings_of: SettingsOf, instance: str, expected: list[tuple[State, str, str]]
) -> None:
    settings = settings_of(monitoring={"rules": True})
    labels = {"severity": "critical", "mlflow_instance": instance}
    rule = {"alert": "MlflowDown", "expr": "vector(1)", "labels": labels}
    with Prometheus(groups=[{"name": "rules", "rules": [rule]}]) as prometheus:
        while not prometheus.firing():
            time.sleep(0.1)
        lines = asked(settings, metrics.alerting, PROMETHEUS_URL=prometheus.url)

    assert [(line.state, line.name, line.do) for line in lines] == expected


def test_doctor_skips_an_unnamed_prometheus(settings_of: SettingsOf) -> None:
    (line,) = asked(settings_of(), metrics.scraped)

    assert line.state is State.SKIPPED
    assert "PROMETHEUS_URL" in line.do
