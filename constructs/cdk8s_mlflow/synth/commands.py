"""What the commands of main.py do."""

import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from cdk8s_mlflow.contract import managed_role_patch
from cdk8s_mlflow.settings import InvalidSettingsError, Override, Problem, Settings, UnreadableSettingsError, load
from cdk8s_mlflow.settings.folder import check_name, environment_files
from cdk8s_mlflow.settings.ownership import refuse_shared
from cdk8s_mlflow.settings.renaming import refuse_renamed
from cdk8s_mlflow.settings.schema import FIRST_LINE
from cdk8s_mlflow.settings.sources import CHART_VERSION_NOTE, chart_version_asked, overrides
from cdk8s_mlflow.synth.output_tree import differences, replacement, shortened
from cdk8s_mlflow.synth.synthesis import synthesize

Say = Callable[[str], None]
Ask = Callable[[str], str]
Progress = Callable[[int], AbstractContextManager[Callable[[str], None]]]

_DOTENV = Path(".env.local")


def write_tree(
    environments: Path, output: Path, *, touched: str, say: Say, progress: Progress, ask: Ask | None
) -> None:
    """Write ``output`` from the files of ``environments``; overrides touch the environment ``touched`` alone.

    ``ask`` is called for each required value that is missing, where there is a terminal to ask on.

    Raises:
        SettingsError: an environment cannot be used.
        OutputError: ``output`` cannot be written.
        SynthesisError: a worker process ended badly.
    """
    files = environment_files(environments)
    changes = _overrides(files, touched, say)
    answers = {file: _answers(file, changes if file.stem == touched else (), ask) for file in files}
    loaded = {file: load(file, overrides=answers[file]) for file in files}
    refuse_shared(loaded)
    refuse_renamed(loaded, output)
    _say_caveats(loaded, say)
    changed = frozenset(file for file in files if answers[file])
    with replacement(output) as folder, progress(len(files)) as done:
        synthesize(loaded, folder=folder, changed=changed, done=done)


_REQUIRED = {"ingress": "ingress.host", "authentication": "authentication.keycloak_host"}
"""What to ask for where a whole section is missing."""


def _answers(file: Path, changes: tuple[Override, ...], ask: Ask | None) -> tuple[Override, ...]:
    try:
        load(file, overrides=changes)
    except InvalidSettingsError as error:
        keys = [_REQUIRED.get(key, key) for key in error.missing]
        if ask is None or not keys or len(keys) < len(error.problems):
            raise
        return (*changes, *(Override("the answer", key, ask(f"{file.name}: {key}")) for key in keys))
    return changes


def _overrides(files: list[Path], touched: str, say: Say) -> tuple[Override, ...]:
    changes = overrides(os.environ, _DOTENV)
    if chart_version_asked(os.environ, _DOTENV):
        say(f"note: {CHART_VERSION_NOTE}")
    if changes and touched not in {file.stem for file in files}:
        message = f"there is no environment {touched} to override; name one with --environment"
        raise InvalidSettingsError([Problem(changes[0].source, "", message)])
    for change in changes:
        say(f"note: {touched}: {change}")
    return changes


def _say_caveats(loaded: dict[Path, Settings], say: Say) -> None:
    for release in {settings.release: settings.traits for settings in loaded.values()}.values():
        names = ", ".join(file.stem for file, settings in loaded.items() if settings.release == release.name)
        if release.caveat:
            say(f"note: release {release.name} ({names}): {release.caveat}")
    for file, settings in loaded.items():
        if settings.database.role_management == "managed-roles":
            say(f"note: {file.stem}: add the role to your Cluster:\n{managed_role_patch(settings)}")


def check_tree(environments: Path, output: Path, *, say: Say) -> list[str]:
    """A short diff between ``output`` and what the files alone say; empty where it is current.

    Raises:
        SettingsError: an environment cannot be used.
        SynthesisError: a worker process ended badly.
    """
    loaded = {file: load(file) for file in environment_files(environments)}
    refuse_shared(loaded)
    refuse_renamed(loaded, output)
    with tempfile.TemporaryDirectory() as folder:
        synthesize(loaded, folder=Path(folder), changed=frozenset(), done=lambda name: None)
        lines = differences(Path(folder), output)
    if lines:
        say(f"error: {output} is stale; run `make synth` and commit it")
    return shortened(lines)


def validate_tree(output: Path) -> list[str]:
    """Problems that schemas and rules find in ``output``, a line each."""
    from cdk8s_mlflow.validation import validate

    folders = [folder for folder in sorted(output.iterdir()) if folder.is_dir()]
    return [f"{folder.name}/{problem}" for folder in folders for problem in validate(folder)]


def image_references(environments: Path) -> list[str]:
    """Every image that the environments run, sorted, each once."""
    loaded = [load(file) for file in environment_files(environments)]
    tunnels = [settings.ingress.cloudflared.image for settings in loaded if settings.ingress.cloudflared]
    return sorted({*(settings.image_reference for settings in loaded), *tunnels})


def write_environment(folder: Path, name: str, *, host: str, keycloak_host: str) -> Path:
    """Write a new environment file and return its path.

    Raises:
        SettingsError: the name or a host is not allowed, or the file is there already.
    """
    check_name(name, "init NAME")
    path = folder / f"{name}.yaml"
    if path.exists():
        raise InvalidSettingsError([Problem(str(path), "", "is there already; edit it, or choose another name")])
    text = (
        f"{FIRST_LINE}\ninstance: mlflow-{name}\n"
        f"ingress:\n  host: {host}\nauthentication:\n  keycloak_host: {keycloak_host}\n"
    )
    with tempfile.TemporaryDirectory() as trial:
        _try(Path(trial) / path.name, text)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _try(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    try:
        load(path)
    except InvalidSettingsError as error:
        raise InvalidSettingsError([Problem("init", p.key, p.message) for p in error.problems]) from error
    except UnreadableSettingsError as error:
        raise InvalidSettingsError([Problem("init", "", "a host must be a DNS name")]) from error
