"""Every setting, typed, with its doc, default and bounds; nothing here imports cdk8s."""

from cdk8s_mlflow.settings.errors import InvalidSettingsError, Problem, SettingsError, UnreadableSettingsError
from cdk8s_mlflow.settings.sources import Override, load
from cdk8s_mlflow.settings.validated import Settings

__all__ = [
    "InvalidSettingsError",
    "Override",
    "Problem",
    "Settings",
    "SettingsError",
    "UnreadableSettingsError",
    "load",
]
