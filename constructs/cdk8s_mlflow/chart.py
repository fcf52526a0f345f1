"""The charts: which constructs an environment has."""

from typing import Any, Literal

from cdk8s import Chart
from constructs import Construct

from cdk8s_mlflow.backend_store import BackendStore
from cdk8s_mlflow.contract import has_database_objects, secret_templates
from cdk8s_mlflow.ingress import PublicIngress
from cdk8s_mlflow.maintenance import Maintenance
from cdk8s_mlflow.metadata import chart_labels
from cdk8s_mlflow.migration import MigrationJob
from cdk8s_mlflow.namespace import MlflowNamespace, MlflowServiceAccount
from cdk8s_mlflow.network_policy import NetworkPolicies
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.tracking_server import TrackingServer
from cdk8s_mlflow.tunnel import CloudflareTunnel


def _labelled(settings: Settings) -> dict[str, Any]:
    """What every chart is created with: plain names, and name and instance on every object."""
    own = chart_labels(name=settings.name, instance=settings.instance)
    # Hashed names follow from the construct's path, so that moving
    # a class would replace every object of a running release.
    return {"disable_resource_name_hashes": True, "labels": {**settings.labels, **own}}


class DatabaseChart(Chart):
    """What belongs in the database namespace, which another team may own: role, its Secret, both databases."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id, **_labelled(settings))
        # Argo CD orders by waves and Flux by kind; the order here is only that in which a reader meets the objects.
        _sync_secrets(self, settings, part="database")
        BackendStore(self, "BackendStore", settings=settings.database)
        # Few environments back the Cluster up; the others do without the generated classes.
        if settings.backup.cluster:
            from cdk8s_mlflow.cluster_backup import ClusterBackup

            ClusterBackup(self, "Backup", settings=settings, backup=settings.backup.cluster)


class MlflowChart(Chart):
    """The tracking server and all that stands around it in its own namespace.

    ``environment`` names the file that the settings come from; with it, alerts watch the delivery's objects as well.

    Exposes ``migration``, ``server`` and, if it is enabled, ``ingress``.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings, environment: str | None = None) -> None:
        super().__init__(scope, id, **_labelled(settings))
        if settings.manage_namespace:
            MlflowNamespace(self, "Namespace", name=settings.namespace)
        # A ServiceAccount that the settings name is another team's, and its annotations are theirs.
        if settings.server.service_account is None:
            MlflowServiceAccount(self, "ServiceAccount", settings=settings)
        _sync_secrets(self, settings, part="application")
        self.migration = MigrationJob(self, "Migration", settings=settings)
        self.server = TrackingServer(self, "TrackingServer", settings=settings)
        Maintenance(self, "Maintenance", settings=settings)
        self.ingress = _public_ingress(self, settings) if settings.ingress.enabled else None
        self._add_optional_parts(settings, environment)

    def _add_optional_parts(self, settings: Settings, environment: str | None) -> None:
        if settings.network.policies:
            NetworkPolicies(self, "NetworkPolicies", settings=settings)
        # A cluster without the Prometheus operator has no such kinds, and does without their classes.
        if settings.monitoring.service_monitor:
            from cdk8s_mlflow.monitoring import MetricsScrape

            MetricsScrape(self, "Monitoring", settings=settings)
        if settings.monitoring.rules:
            from cdk8s_mlflow.monitoring import AlertRules

            AlertRules(self, "Alerts", settings=settings, environment=environment)
        if settings.monitoring.dashboard:
            # The SDK, which only this needs, takes a quarter of a second.
            from cdk8s_mlflow.dashboard import DashboardConfigMap

            DashboardConfigMap(self, "Dashboard", settings=settings)
        if settings.ingress.cloudflared:
            CloudflareTunnel(self, "Tunnel", settings=settings, tunnel=settings.ingress.cloudflared)


def _sync_secrets(chart: Chart, settings: Settings, *, part: Literal["application", "database"]) -> None:
    if settings.secrets.mode != "external-secrets":
        return
    # The other mode has no use for the generated classes, which Node.js would load as well.
    from cdk8s_mlflow.external_secrets import SyncedSecret

    for template in secret_templates(settings):
        if template.part == part:
            SyncedSecret(chart, template.name, template=template, settings=settings.secrets)


def _public_ingress(chart: Chart, settings: Settings) -> PublicIngress:
    return PublicIngress(chart, "Ingress", settings=settings.ingress, name=settings.name, namespace=settings.namespace)


class FluxChart(Chart):
    """Flux's objects for an environment."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, environment: str) -> None:
        super().__init__(scope, id, **_labelled(settings))
        # Only one of the two deliveries is chosen, and its generated classes are large.
        from cdk8s_mlflow.delivery.flux import FluxDelivery

        FluxDelivery(
            self,
            "Flux",
            settings=settings.delivery,
            name=settings.delivery_name(environment),
            environment=environment,
            database=has_database_objects(settings),
            backup=settings.backs_up_before_migration,
        )


class ArgoChart(Chart):
    """Argo CD's objects for an environment."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, environment: str) -> None:
        super().__init__(scope, id, **_labelled(settings))
        from cdk8s_mlflow.delivery.argocd import ArgoDelivery

        ArgoDelivery(self, "ArgoCD", settings=settings, environment=environment)
