"""The charts: which constructs exist and who needs whom."""

from typing import Any

from cdk8s import Chart
from constructs import Construct

from cdk8s_mlflow.backend_store import BackendStore
from cdk8s_mlflow.contract import SecretRecipe, has_database_objects, secret_recipes
from cdk8s_mlflow.ingress import PublicIngress
from cdk8s_mlflow.maintenance import Maintenance
from cdk8s_mlflow.migration import MigrationJob
from cdk8s_mlflow.namespace import MlflowNamespace, MlflowServiceAccount
from cdk8s_mlflow.network_policy import NetworkPolicies
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.instance import INSTANCE_LABEL
from cdk8s_mlflow.tracking_server import TrackingServer
from cdk8s_mlflow.tunnel import CloudflareTunnel


def _labelled(settings: Settings) -> dict[str, Any]:
    """What every chart is made with: plain names, and the instance on every object."""
    return {"disable_resource_name_hashes": True, "labels": {**settings.labels, INSTANCE_LABEL: settings.instance}}


class DatabaseChart(Chart):
    """What belongs in the database namespace, which another team may own: role, its Secret, both databases."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id, **_labelled(settings))
        _mirror_secrets(self, settings, [recipe for recipe in secret_recipes(settings) if recipe.part == "database"])
        BackendStore(self, "BackendStore", settings=settings.database)


class MlflowChart(Chart):
    """The tracking server and all that stands around it in its own namespace.

    Exposes ``migration``, ``server`` and, where it is enabled, ``ingress``.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id, **_labelled(settings))
        if settings.manage_namespace:
            MlflowNamespace(self, "Namespace", name=settings.namespace)
        if settings.server.service_account is None:
            MlflowServiceAccount(self, "ServiceAccount", settings=settings)
        _mirror_secrets(self, settings, [recipe for recipe in secret_recipes(settings) if recipe.part == "application"])
        self.migration = MigrationJob(self, "Migration", settings=settings)
        self.server = TrackingServer(self, "TrackingServer", settings=settings)
        Maintenance(self, "Maintenance", settings=settings)
        self.ingress = _public_ingress(self, settings) if settings.ingress.enabled else None
        self._add_optional_parts(settings)

    def _add_optional_parts(self, settings: Settings) -> None:
        if settings.network.policies:
            NetworkPolicies(self, "NetworkPolicies", settings=settings)
        if settings.monitoring.service_monitor:
            from cdk8s_mlflow.monitoring import MetricsScrape

            MetricsScrape(self, "Monitoring", settings=settings.monitoring, namespace=settings.namespace)
        if settings.ingress.cloudflared:
            CloudflareTunnel(self, "Tunnel", settings=settings, tunnel=settings.ingress.cloudflared)


def _mirror_secrets(chart: Chart, settings: Settings, recipes: list[SecretRecipe]) -> None:
    if settings.secrets.mode != "external-secrets":
        return
    from cdk8s_mlflow.external_secrets import MirroredSecret

    for recipe in recipes:
        MirroredSecret(chart, recipe.name, recipe=recipe, settings=settings.secrets)


def _public_ingress(chart: Chart, settings: Settings) -> PublicIngress:
    door = settings.ingress
    return PublicIngress(chart, "Ingress", settings=door, namespace=settings.namespace)


class FluxChart(Chart):
    """Flux's objects for an environment."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, environment: str) -> None:
        super().__init__(scope, id, **_labelled(settings))
        from cdk8s_mlflow.delivery.flux import FluxDelivery

        FluxDelivery(
            self,
            "Flux",
            settings=settings.delivery,
            name=settings.delivery_name(environment),
            environment=environment,
            database=has_database_objects(settings),
        )


class ArgoChart(Chart):
    """Argo CD's objects for an environment."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, environment: str) -> None:
        super().__init__(scope, id, **_labelled(settings))
        from cdk8s_mlflow.delivery.argocd import ArgoDelivery

        ArgoDelivery(self, "ArgoCD", settings=settings, environment=environment)
