"""How Flux or Argo CD finds and applies dist/."""

from typing import Annotated, Literal

from pydantic import Field

from cdk8s_mlflow.settings.section import DnsLabel, DnsName, Duration, GitUrl, HttpsUrl, Section, Text, matching


class DeliverySettings(Section):
    """The repository that holds dist/ and the objects that point at it."""

    tools: tuple[Literal["flux", "argocd"], ...] = ("flux", "argocd")
    """Which delivery objects to write; both are only pointers, apply one of them."""

    repository: GitUrl = "https://git.example.com/platform/mlflow.git"
    """Repository (or OCI artifact, for Flux) that holds dist/."""

    revision: Text = "main"
    """Branch of a Git repository, tag of an OCI artifact."""

    path: Annotated[str, matching(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", "dist, relative to the repository")] = "dist"
    """Folder in the repository that holds the environments."""

    credentials_secret: DnsName | None = None
    """Secret beside the Flux source with the login to the repository."""

    interval: Duration = "10m"
    """How often Flux compares the cluster with the repository."""

    retry_interval: Duration = "2m"
    """How soon Flux tries again after a failure."""

    timeout: Duration = "15m"
    """How long Flux waits for objects to become ready."""

    flux_namespace: DnsLabel = "flux-system"
    """Namespace of Flux's objects."""

    flux_service_account: DnsName | None = None
    """ServiceAccount that Flux applies as, where the cluster is shared."""

    argocd_namespace: DnsLabel = "argocd"
    """Namespace of Argo CD's Application."""

    argocd_project: DnsName = "default"
    """AppProject of the Application."""

    argocd_server: HttpsUrl = "https://kubernetes.default.svc"
    """API server of the cluster to deliver to."""

    retries: Annotated[int, Field(ge=1, le=100)] = 20
    """How often Argo CD repeats a failed sync: a store that is not ready yet fails it."""
