"""The tested pairs of MLflow and mlflow-oidc-auth; everything that differs between them is in one module each."""

from cdk8s_mlflow.releases import mlflow_3_6_0, mlflow_3_17_2
from cdk8s_mlflow.releases.release import Release, ReleaseName, ServerKey

DEFAULT_RELEASE: ReleaseName = "3.6.0"
"""The release of an environment that names none."""

RELEASES: dict[str, Release] = {release.name: release for release in (mlflow_3_6_0.RELEASE, mlflow_3_17_2.RELEASE)}
"""Every release by its name."""

__all__ = ["DEFAULT_RELEASE", "RELEASES", "Release", "ReleaseName", "ServerKey"]
