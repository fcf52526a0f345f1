"""What Prometheus sees."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from cdk8s_mlflow.settings.addresses import HttpsUrl
from cdk8s_mlflow.settings.pods import KubernetesLabels
from cdk8s_mlflow.settings.section import Conflict, DnsLabel, Duration, Section

LONGEST_INTERVAL = 120
"""Seconds between two scrapes with which a window of five minutes has two of them, one having failed."""


class MonitoringSettings(Section):
    """Metrics on a port of their own, which the Ingress never reaches."""

    service_monitor: bool = True
    """Write a ServiceMonitor for the Prometheus operator."""

    labels: KubernetesLabels = {"release": "kube-prometheus-stack"}
    """Labels by which Prometheus selects the ServiceMonitor and the PrometheusRule."""

    interval: Duration = "30s"
    """How often to scrape; only with ``service_monitor``."""

    scrape_timeout: Duration = "10s"
    """When to give a scrape up; below ``interval``, and only with ``service_monitor``."""

    namespace: DnsLabel = "monitoring"
    """Namespace of Prometheus, which may reach the metrics port; only with ``network.policies``."""

    pod_labels: KubernetesLabels = {"app.kubernetes.io/name": "prometheus"}
    """Labels of Prometheus's pods; only with ``network.policies``."""

    rules: bool = False
    """Write a PrometheusRule with the alerts of docs/runbooks/, which the keys of alerts and objectives are for."""

    dashboard: bool = False
    """Write a ConfigMap with a dashboard for Grafana 10 and newer, which its sidecar finds by ``dashboard_labels``."""

    dashboard_labels: KubernetesLabels = {"grafana_dashboard": "1"}
    """Labels of that ConfigMap, only with ``dashboard`` (Helm chart of Grafana, ``sidecar.dashboards.label``)."""

    alert_labels: KubernetesLabels = {}
    """Labels of every alert of ``rules`` beside ``severity`` and ``mlflow_instance``, such as the team that is told."""

    runbooks: HttpsUrl | None = None
    """Address at which you publish docs/runbooks/, for ``rules``; null leaves the path of the page in each alert."""

    availability_percent: Annotated[float, Field(ge=90, lt=100)] = 99.5
    """Share of requests that are to be answered without an error of the server; alerts follow, with ``rules``."""

    latency_seconds: Literal["0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0"] = "2.5"
    """Seconds within which 95 of 100 requests are to be answered, artifacts aside; only with ``rules``."""


def monitoring_conflicts(monitoring: MonitoringSettings) -> Iterator[Conflict]:
    """What cannot hold together, by dotted key."""
    if seconds(monitoring.scrape_timeout) > seconds(monitoring.interval) > 0:
        yield (
            "monitoring.scrape_timeout",
            f"is {monitoring.scrape_timeout}, longer than monitoring.interval {monitoring.interval}; "
            "Prometheus refuses that, lower it",
        )

    if monitoring.rules and seconds(monitoring.interval) > LONGEST_INTERVAL:
        yield (
            "monitoring.interval",
            f"is {monitoring.interval}, but alerts look at windows of five minutes, which need two scrapes at least; "
            "use 2m or less, or no monitoring.rules",
        )


def seconds(duration: str) -> int:
    """Seconds of a Go duration such as ``1h30m``."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", duration))
