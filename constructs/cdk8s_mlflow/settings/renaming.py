"""A running environment keeps its instance: under another one it would start anew, beside all that it has."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cdk8s_mlflow.settings.errors import InvalidSettingsError, Problem
from cdk8s_mlflow.settings.instance import DEFAULT_INSTANCE, INSTANCE_LABEL
from cdk8s_mlflow.settings.owned import owned_things
from cdk8s_mlflow.settings.validated import Settings


def refuse_renamed(environments: Mapping[Path, Settings], output: Path) -> None:
    """Check that each environment has the instance that its manifests in ``output`` were written for.

    Raises:
        InvalidSettingsError: one has another; the line names what would be left behind.
    """
    problems = [
        Problem(str(file), "instance", message)
        for file, settings in environments.items()
        for message in _messages(settings, output / file.stem)
    ]
    if problems:
        raise InvalidSettingsError(problems)


def _messages(settings: Settings, folder: Path) -> Iterator[str]:
    if _is_written_for(settings.instance, folder):
        return
    labels = _written_labels(folder)
    before = str(labels.get(INSTANCE_LABEL, DEFAULT_INSTANCE))
    if not labels or before == settings.instance:
        return
    # Manifests without the label are older than instances, and nothing bears a mark yet.
    marks = [f"all that bears the mark of {before}"] if INSTANCE_LABEL in labels else []
    left = _left_behind(settings, before, folder.name) or marks
    if left:
        yield (
            f"is {settings.instance}, but {folder} was written for {before}; the new name would leave behind "
            f"{', '.join(left)}; set {before} again, or remove {folder} first to start anew under the new name"
        )


def _is_written_for(instance: str, folder: Path) -> bool:
    """Whether it says so in so many words, which spares a hundred environments a hundred YAML parsers."""
    for file in _labelled(folder):
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return False
        return [line for line in lines if INSTANCE_LABEL in line] == [f"    {INSTANCE_LABEL}: {instance}"]
    return False


def _written_labels(folder: Path) -> Mapping[str, Any]:
    """The labels of the manifests in ``folder``; empty if there are none."""
    for file in _labelled(folder):
        try:
            return dict(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))["metadata"]["labels"])
        except (OSError, UnicodeDecodeError, YAMLError, TypeError, KeyError, ValueError):
            continue
    return {}


def _labelled(folder: Path) -> Iterator[Path]:
    """Manifests that bear the instance: the ServiceAccount, unless it is another team's, then Services."""
    for kind in ("ServiceAccount", "Service"):
        # By kind only: the objects' name is a setting, too, and may have changed with the instance.
        yield from sorted((folder / "application").glob(f"{kind}.*.k8s.yaml"))


def _left_behind(settings: Settings, before: str, environment: str) -> list[str]:
    """What the environment owns under its old instance and not under the new one."""
    try:
        old = settings.replace(instance=before)
    # The old name may not be allowed beside the other settings, so its own things cannot be derived.
    except ValidationError:
        return [f"all that {before} owns"]
    kept = {str(thing) for thing in owned_things(settings, environment)}
    return [name for name in map(str, owned_things(old, environment)) if name not in kept]
