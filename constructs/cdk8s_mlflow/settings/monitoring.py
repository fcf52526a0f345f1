"""What Prometheus sees."""

from cdk8s_mlflow.settings.section import DnsLabel, Duration, Labels, Section


class MonitoringSettings(Section):
    """Metrics on a port of their own, which the Ingress never reaches."""

    service_monitor: bool = True
    """Write a ServiceMonitor for the Prometheus operator."""

    labels: Labels = {"release": "kube-prometheus-stack"}
    """Labels by which Prometheus selects the ServiceMonitor."""

    interval: Duration = "30s"
    """How often to scrape."""

    scrape_timeout: Duration = "10s"
    """When to give a scrape up; below ``interval``."""

    namespace: DnsLabel = "monitoring"
    """Namespace of Prometheus, which may reach the metrics port."""

    pod_labels: Labels = {"app.kubernetes.io/name": "prometheus"}
    """Labels of Prometheus's pods."""
