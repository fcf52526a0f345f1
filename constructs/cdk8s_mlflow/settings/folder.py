"""The environment files of a folder, which must not own one thing together."""

import re
from pathlib import Path

from cdk8s_mlflow.settings.errors import InvalidSettingsError, Problem, UnreadableSettingsError

_ENDINGS = (".yaml", ".yml")


def environment_files(folder: Path) -> list[Path]:
    """The environment files of ``folder`` by name.

    Raises:
        UnreadableSettingsError: there are none, or the ending of one is not ``.yaml``.
        InvalidSettingsError: a name cannot be one of an environment.
    """
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [file for file in entries if file.suffix.lower() in _ENDINGS]
    # A .yml that is passed over would be an environment that nothing renders or delivers.
    misnamed = [file for file in files if file.suffix != ".yaml"]
    if misnamed:
        message = f"must end with .yaml to be read; rename it to {misnamed[0].stem}.yaml, or move it elsewhere"
        raise UnreadableSettingsError([Problem(str(misnamed[0]), "", message)])
    if not files:
        message = "has no environment file (*.yaml); `main.py init NAME` writes one"
        raise UnreadableSettingsError([Problem(str(folder), "", message)])
    for file in files:
        check_name(file.stem, str(file))
    return files


def check_name(name: str, source: str) -> None:
    """Check that ``name`` can be one of an environment.

    Raises:
        InvalidSettingsError: it cannot; the line begins with ``source``.
    """
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", name):
        message = "an environment's name must have only lowercase letters, digits and '-', at most 40; rename it"
        raise InvalidSettingsError([Problem(source, "", message)])
