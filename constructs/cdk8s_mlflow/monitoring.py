"""What Prometheus scrapes, and what it alerts on."""

from constructs import Construct

from cdk8s_mlflow.alert import INSTANCE_LABEL, Alert, runbook
from cdk8s_mlflow.alerts import alerts
from cdk8s_mlflow.metadata import resource_metadata, selector
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow_crds.com.coreos import monitoring


class MetricsScrape(Construct):
    """A ServiceMonitor on the Service's metrics port."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        scrape = settings.monitoring
        monitoring.ServiceMonitor(
            self,
            "Resource",
            metadata=resource_metadata(
                settings.name,
                namespace=settings.namespace,
                component="tracking-server",
                more_labels=scrape.labels,
            ),
            spec=monitoring.ServiceMonitorSpec(
                # It selects Services; the one with a port called metrics
                # bears these labels, whichever of the two it is.
                selector=monitoring.ServiceMonitorSpecSelector(match_labels=selector("tracking-server", settings.name)),
                endpoints=[
                    monitoring.ServiceMonitorSpecEndpoints(
                        # By name: a ServiceMonitor whose port does not exist
                        # scrapes nothing, and Prometheus reports no error.
                        port="metrics",
                        path="/metrics",
                        interval=scrape.interval,
                        scrape_timeout=scrape.scrape_timeout,
                    )
                ],
            ),
        )


class AlertRules(Construct):
    """A PrometheusRule with the alerts of an environment."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, environment: str | None) -> None:
        super().__init__(scope, id)
        rules = [_rule(settings, alert) for alert in alerts(settings, environment)]
        monitoring.PrometheusRule(
            self,
            "Resource",
            metadata=resource_metadata(
                settings.name,
                namespace=settings.namespace,
                component="tracking-server",
                more_labels=settings.monitoring.labels,
            ),
            spec=monitoring.PrometheusRuleSpec(
                groups=[monitoring.PrometheusRuleSpecGroups(name=settings.instance, rules=rules)]
            ),
        )


def _rule(settings: Settings, alert: Alert) -> monitoring.PrometheusRuleSpecGroupsRules:
    page, address = runbook(alert.name), settings.monitoring.runbooks
    where = {"runbook_url": f"{address.rstrip('/')}/{page}"} if address else {}
    return monitoring.PrometheusRuleSpecGroupsRules(
        alert=alert.name,
        expr=alert.expr,
        for_=alert.lasts,
        # Last, so that no label of the settings replaces the severity, by which Alertmanager's routes decide, nor the
        # instance, without which the same alert of two environments would be one.
        labels={
            **settings.monitoring.alert_labels,
            INSTANCE_LABEL: settings.instance,
            "severity": alert.severity,
        },
        # The page's path stands there even without an address, for readers of the repository.
        annotations={"summary": alert.summary, "runbook": f"docs/runbooks/{page}.md", **where},
    )
