"""How Flux or Argo CD finds and applies dist/."""

from typing import Annotated, Literal

from pydantic import Field

from cdk8s_mlflow.settings.addresses import GitUrl, HttpsUrl
from cdk8s_mlflow.settings.section import DnsLabel, DnsName, Duration, ProductVersion, Section, Text, at_least, matching


class DeliverySettings(Section):
    """The repository that holds dist/ and the objects that point at it."""

    tools: tuple[Literal["flux", "argocd"], ...] = ("flux", "argocd")
    """Which delivery objects to write; both are only pointers, apply one of them. Each has keys of its own."""

    repository: GitUrl = "https://git.example.com/platform/mlflow.git"
    """Repository (or OCI artifact, for Flux) that holds dist/."""

    revision: Text = "main"
    """Branch of a Git repository, tag of an OCI artifact."""

    path: Annotated[str, matching(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", "dist, relative to the repository")] = "dist"
    """Folder in the repository that holds the environments."""

    name: Annotated[str, matching(r"[a-z0-9]([-a-z0-9]{0,49}[a-z0-9])?", "mlflow-staging, at most 51")] | None = None
    """Name of Flux's and Argo CD's objects; by default the instance, for the instance mlflow mlflow-ENVIRONMENT."""

    credentials_secret: DnsName | None = None
    """Secret beside the Flux source with the login to the repository; only with flux."""

    interval: Duration = "10m"
    """How often Flux compares the cluster with the repository."""

    retry_interval: Duration = "2m"
    """How soon Flux tries again after a failure."""

    timeout: Duration = "15m"
    """How long Flux waits for objects to become ready."""

    flux_version: ProductVersion = "2.5"
    """Version of Flux at least; below 2.5 healthCheckExprs are left out, and the migration waits for the databases."""

    flux_namespace: DnsLabel = "flux-system"
    """Namespace of Flux's objects."""

    flux_service_account: DnsName | None = None
    """ServiceAccount that Flux applies as, if the cluster is shared."""

    argocd_version: ProductVersion = "3.2"
    """Version of Argo CD at least; from 3.2 on a commit that repairs a failed sync does not wait for its retries."""

    argocd_namespace: DnsLabel = "argocd"
    """Namespace of Argo CD's Application."""

    argocd_project: DnsName = "default"
    """AppProject of the Application."""

    argocd_server: HttpsUrl = "https://kubernetes.default.svc"
    """API server of the cluster to deliver to."""

    retries: Annotated[int, Field(ge=1, le=100)] = 5
    """How often Argo CD repeats a failed sync: a store that is not ready yet fails it."""

    @property
    def flux_reads_health(self) -> bool:
        """Whether Flux knows ``healthCheckExprs``."""
        return at_least(self.flux_version, 2, 5)

    @property
    def argocd_refreshes_retries(self) -> bool:
        """Whether Argo CD knows ``retry.refresh``."""
        return at_least(self.argocd_version, 3, 2)
