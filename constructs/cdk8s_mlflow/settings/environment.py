"""The settings of one environment, before those of different sections are compared."""

from typing import Self

from pydantic import model_validator

from cdk8s_mlflow.releases import DEFAULT_RELEASE, RELEASES, Release, ReleaseName, ServerKey
from cdk8s_mlflow.settings.artifacts import ArtifactSettings
from cdk8s_mlflow.settings.authentication import AuthenticationSettings
from cdk8s_mlflow.settings.backup import BackupSettings
from cdk8s_mlflow.settings.bootstrap import BootstrapSettings
from cdk8s_mlflow.settings.database import DatabaseSettings, MigrationSettings
from cdk8s_mlflow.settings.delivery import DeliverySettings
from cdk8s_mlflow.settings.image import ImageSettings
from cdk8s_mlflow.settings.ingress import IngressSettings
from cdk8s_mlflow.settings.instance import DEFAULT_INSTANCE, Instance, ObjectName, derived, follows_instance
from cdk8s_mlflow.settings.monitoring import MonitoringSettings
from cdk8s_mlflow.settings.network import NetworkSettings
from cdk8s_mlflow.settings.pods import KubernetesLabels, PodSettings
from cdk8s_mlflow.settings.secrets import SecretsSettings
from cdk8s_mlflow.settings.section import DnsLabel, Section, Text
from cdk8s_mlflow.settings.server import MaintenanceSettings, ServerSettings

_REDIS_PASSWORD = ServerKey(variable="REDIS_PASSWORD", field="redis_password", form="token", rotates=False)


class EnvironmentSettings(Section):
    """Everything by which one deployment of MLflow differs from another; no secrets."""

    release: ReleaseName = DEFAULT_RELEASE
    """Tested pair of MLflow and mlflow-oidc-auth."""

    plugin_version: Text | None = None
    """Version of mlflow-oidc-auth that you expect in the image; refused if it is not the release's."""

    instance: Instance = DEFAULT_INSTANCE
    """Name of this deployment in every shared space: what else is named there follows from it, unless set by hand."""

    cluster: DnsLabel = "default"
    """Name of the Kubernetes cluster; environments that name the same one share it, and are kept apart there."""

    namespace: DnsLabel = follows_instance("{instance}")
    """Namespace of the application."""

    name: ObjectName = "mlflow"
    """Name of our objects in the namespace, or its beginning; another one for a second installation there."""

    manage_namespace: bool = True
    """Write the Namespace; false if another team creates it."""

    labels: KubernetesLabels = {}
    """More labels of every object that is written."""

    pods: PodSettings = PodSettings()
    server: ServerSettings = ServerSettings()
    image: ImageSettings = ImageSettings()
    database: DatabaseSettings = DatabaseSettings()
    migration: MigrationSettings = MigrationSettings()
    artifacts: ArtifactSettings = ArtifactSettings()
    authentication: AuthenticationSettings
    secrets: SecretsSettings = SecretsSettings()
    ingress: IngressSettings
    network: NetworkSettings = NetworkSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
    backup: BackupSettings = BackupSettings()
    delivery: DeliverySettings = DeliverySettings()
    bootstrap: BootstrapSettings = BootstrapSettings()

    @property
    def tested_release(self) -> Release:
        """What the chosen release needs and cannot do."""
        return RELEASES[self.release]

    @property
    def image_reference(self) -> str:
        """The image that every container of ours runs."""
        return self.image.reference(self.release)

    @property
    def server_keys(self) -> tuple[ServerKey, ...]:
        """Values that all pods share; bootstrap creates each once."""
        redis = self.authentication.redis
        return self.tested_release.server_keys + ((_REDIS_PASSWORD,) if redis and redis.password else ())

    @property
    def ends_access(self) -> bool:
        """Whether the access of users who have left is ended."""
        return self.maintenance.end_access and self.authentication.directory_client is not None

    @property
    def has_own_backup_endpoint(self) -> bool:
        """Whether dumps go to another S3 than artifacts."""
        backup, artifacts = self.backup, self.artifacts
        # Google's address may stand for both, with another API for each.
        is_other = not artifacts.speaks_s3 or backup.endpoint != artifacts.endpoint
        return backup.target is not None and backup.endpoint is not None and is_other

    @property
    def backs_up_before_migration(self) -> bool:
        """Whether CloudNativePG backs its Cluster up before each migration."""
        return self.backup.cluster is not None and self.backup.cluster.before_migration

    @property
    def dumps_before_migration(self) -> bool:
        """Whether the migration waits for a dump."""
        return self.backup.target is not None and self.backup.before_migration

    @property
    def metrics_service(self) -> str:
        """Service that Prometheus scrapes: another one if the first leads out of the cluster, as metrics never do."""
        return self.name if self.server.service.type == "ClusterIP" else f"{self.name}-metrics"

    @property
    def uses_azure_identity(self) -> bool:
        """Whether pods open the container of artifacts by a workload identity of Entra ID."""
        return self.artifacts.is_azure and self.artifacts.credentials == "service-account"

    @property
    def uses_gke_identity(self) -> bool:
        """Whether pods open the bucket of artifacts by tokens of GKE's metadata server."""
        return self.artifacts.is_gcs and self.artifacts.credentials == "service-account"

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Host headers that the server answers: the public one, and the Service's names with and without its port."""
        service = f"{self.name}.{self.namespace}"
        names = (self.name, service, f"{service}.svc", f"{service}.svc.{self.network.cluster_domain}")
        # Some clients write the port even if it is the usual one, and MLflow compares the whole header.
        ported = tuple(f"{name}:80" for name in names)
        return (*self.ingress.authorities, *names, *ported, *self.server.allowed_hosts)

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Origins whose pages may call the API: the server's own, and what the settings add."""
        return (*self.ingress.public_urls, *self.server.cors_origins)

    def delivery_name(self, environment: str) -> str:
        """Name of Flux's and Argo CD's objects for the file ``environment``, which Argo CD's clusters may share."""
        own = self.instance if self.instance != DEFAULT_INSTANCE else f"{DEFAULT_INSTANCE}-{environment}"
        return self.delivery.name or own

    @model_validator(mode="after")
    def _follow_instance(self) -> Self:
        """Fill in the defaults that follow from the instance, without marking them as set.

        A copy with another instance (``replace``) then gets other defaults.
        """
        for name, section in self:
            changes = derived(section, self.instance) if isinstance(section, Section) else {}
            if changes:
                values = {**dict(section), **changes}
                # model_copy(update=…) would mark the fields as set, so that no later copy followed the instance.
                resolved = type(section).model_construct(_fields_set=set(section.model_fields_set), **values)
                object.__setattr__(self, name, resolved)
        for name, value in derived(self, self.instance).items():
            object.__setattr__(self, name, value)
        return self
