"""What Prometheus scrapes."""

from constructs import Construct

from cdk8s_mlflow.contract import APP
from cdk8s_mlflow.metadata import resource_metadata, selector
from cdk8s_mlflow.settings.monitoring import MonitoringSettings
from cdk8s_mlflow_crds.com.coreos import monitoring


class MetricsScrape(Construct):
    """A ServiceMonitor on the Service's metrics port."""

    def __init__(self, scope: Construct, id: str, *, settings: MonitoringSettings, namespace: str) -> None:
        super().__init__(scope, id)
        monitoring.ServiceMonitor(
            self,
            "Resource",
            metadata=resource_metadata(
                APP, namespace=namespace, component="tracking-server", more_labels=settings.labels
            ),
            spec=monitoring.ServiceMonitorSpec(
                selector=monitoring.ServiceMonitorSpecSelector(match_labels=selector("tracking-server")),
                endpoints=[
                    monitoring.ServiceMonitorSpecEndpoints(
                        port="metrics",
                        path="/metrics",
                        interval=settings.interval,
                        scrape_timeout=settings.scrape_timeout,
                    )
                ],
            ),
        )
