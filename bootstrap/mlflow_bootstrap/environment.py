"""The settings of the environment that the command line names, with what overrides them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from cdk8s_mlflow.settings import Settings, load
from cdk8s_mlflow.settings.folder import environment_files
from cdk8s_mlflow.settings.ownership import refuse_shared
from cdk8s_mlflow.settings.renaming import refuse_renamed
from cdk8s_mlflow.settings.sources import CHART_VERSION_NOTE, chart_version_asked, overrides

DOTENV = Path(".env.local")


def settings_of(name: str, *, folder: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> Settings:
    """The settings of ``folder/name.yaml`` under .env.local and ``environ``; each override is told to ``say``.

    Raises:
        SettingsError: they cannot be used, another environment of the folder cannot be read or owns the same
            thing, or its manifests in dist/ were written for another instance.
    """
    # Each override is said, since a variable that is left over in a shell changes what is written.
    changes = overrides(environ, DOTENV)
    if chart_version_asked(environ, DOTENV):
        say(CHART_VERSION_NOTE)
    for change in changes:
        say(f"{name}: {change}")
    file = folder / f"{name}.yaml"
    settings = load(file, overrides=changes)
    # Also those of other clusters: only the files can tell whether two environments own one thing.
    others = {other: load(other) for other in environment_files(folder) if other != file}
    refuse_shared({file: settings, **others}, only=file)
    # The settings do not say what an environment was called before; the manifests do.
    refuse_renamed({file: settings}, Path(environ.get("CDK8S_OUTDIR") or folder.parent / "dist"))
    return settings
