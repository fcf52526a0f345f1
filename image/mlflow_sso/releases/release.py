"""What the programs know of a release."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlflow_sso.asgi import Application


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
    """Whether browser sessions are rows of the auth database, which must be pruned."""

    applications: tuple[str, ...]
    """Values of ``mlflow server --app-name`` for the one application that uvicorn can run."""

    permissions: tuple[str, ...]
    """Values of DEFAULT_MLFLOW_PERMISSION; the plugin itself checks it at the first request that needs one."""

    private_variables: Callable[[], Mapping[str, str]]
    """Variables with which ``mlflow server`` marks its workers."""

    open_application: Callable[[], Application]
    """Imports the plugin's application, after its store is open. Takes seconds."""
