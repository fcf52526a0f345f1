"""What differs between the releases: a tested pair of MLflow and plugin each, one module a release."""

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from mlflow_sso.errors import TerminalError

MODULES = {"3.6.0": "r3_6_0", "3.17.2": "r3_17_2"}
"""Module by version of MLflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The installed pair of MLflow and plugin, and what the programs have to know about it."""

    mlflow: str
    """Version of MLflow."""

    plugin: str
    """Version of mlflow-oidc-auth."""

    app_name: str
    """What ``mlflow server --app-name`` calls the plugin's application."""

    server_secrets: tuple[str, ...]
    """Files under ``server/`` without which the server cannot start."""

    experiment_tables: tuple[str, ...] = ()
    """Tables with an ``experiment_id`` that no foreign key ties to ``experiments``."""

    sessions_in_database: bool
    """Whether browser sessions are rows of the auth database, so that somebody has to prune them."""


def installed() -> Release:
    """The release whose packages are installed beside this one.

    Raises ``TerminalError`` where there is no MLflow, or a pair that nobody has tested.
    """
    found = {package: _version(package) for package in ("mlflow", "mlflow-oidc-auth")}
    module = MODULES.get(found["mlflow"])
    release: Release | None = import_module(f"mlflow_sso.releases.{module}").RELEASE if module else None
    if release is None or release.plugin != found["mlflow-oidc-auth"]:
        raise TerminalError(
            f"not a release of this image: {', '.join(f'{package} {number}' for package, number in found.items())}",
            remedy=f"install from the lock of one of: {', '.join(MODULES)}",
        )
    return release


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
