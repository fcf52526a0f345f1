"""What differs between the releases: a tested pair of MLflow and plugin each, one module a release."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from mlflow_sso.errors import TerminalError
from mlflow_sso.releases import mlflow_3_6_0, mlflow_3_17_2
from mlflow_sso.releases.release import Release

RELEASES: Mapping[str, Release] = {release.mlflow: release for release in (mlflow_3_6_0.RELEASE, mlflow_3_17_2.RELEASE)}
"""Every release by its version of MLflow."""


def installed() -> Release:
    """The release whose packages are installed beside this one.

    Raises ``TerminalError`` if MLflow is not installed, or an untested pair is.
    """
    versions = {package: _version(package) for package in ("mlflow", "mlflow-oidc-auth")}
    release = RELEASES.get(versions["mlflow"])
    if release is None or release.plugin != versions["mlflow-oidc-auth"]:
        raise TerminalError(
            f"not a release of this image: {', '.join(f'{package} {number}' for package, number in versions.items())}",
            remedy=f"install from the lock of one of: {', '.join(RELEASES)}",
        )
    return release


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


__all__ = ["RELEASES", "Release", "installed"]
