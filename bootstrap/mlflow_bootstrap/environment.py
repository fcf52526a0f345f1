"""The settings of the environment that the command line names, with what overrides them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from cdk8s_mlflow.settings import Settings, load
from cdk8s_mlflow.settings.sources import CHART_VERSION_NOTE, chart_version_asked, overrides

DOTENV = Path(".env.local")


def settings_of(name: str, *, folder: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> Settings:
    """The settings of ``folder/name.yaml`` under .env.local and ``environ``; each override is told to ``say``.

    Raises:
        SettingsError: they cannot be used.
    """
    changes = overrides(environ, DOTENV)
    if chart_version_asked(environ, DOTENV):
        say(CHART_VERSION_NOTE)
    for change in changes:
        say(f"{name}: {change}")
    return load(folder / f"{name}.yaml", overrides=changes)
