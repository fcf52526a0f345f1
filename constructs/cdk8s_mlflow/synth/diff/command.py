"""The command ``diff``."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cdk8s_mlflow.settings import InvalidSettingsError, Problem, Settings, load
from cdk8s_mlflow.settings.folder import environment_files
from cdk8s_mlflow.settings.ownership import refuse_shared
from cdk8s_mlflow.synth.diff.committed import committed_files
from cdk8s_mlflow.synth.diff.objects import object_changes
from cdk8s_mlflow.synth.diff.report import EnvironmentDiff
from cdk8s_mlflow.synth.diff.settings import committed_settings, settings_changes
from cdk8s_mlflow.synth.synthesis import synthesize


def diff(environments: Path, output: Path, *, only: str | None, against: str) -> list[EnvironmentDiff]:
    """What the files of ``environments`` say beside what the commit ``against`` has in ``output``.

    Without ``only`` every environment is compared, including those that only the commit has.

    Raises:
        CommitError: git cannot say what is committed.
        SettingsError: an environment cannot be used, or there is none of the name ``only``.
        SynthesisError: a worker process ended badly.
    """
    committed = committed_files(output, revision=against)
    files = committed_files(environments, revision=against)
    loaded = {file: load(file) for file in environment_files(environments)}
    # A file that synth would refuse has no manifests to compare.
    refuse_shared(loaded)
    chosen = _chosen({file.stem: file for file in loaded}, committed, only, environments)
    with tempfile.TemporaryDirectory() as folder:
        wanted = {file: settings for file, settings in loaded.items() if file.stem in chosen}
        synthesize(wanted, folder=Path(folder), changed=frozenset(), done=lambda name: None)
        fresh = {name: _texts(Path(folder) / name) for name in chosen}
    settings = {file.stem: settings for file, settings in loaded.items()}
    return [
        _compare(name, _below(committed, name), fresh[name], files.get(f"{name}.yaml"), settings.get(name))
        for name in chosen
    ]


def _chosen(files: Mapping[str, Path], committed: Mapping[str, str], only: str | None, folder: Path) -> list[str]:
    names = sorted({*files, *(path.partition("/")[0] for path in committed if "/" in path)})
    if only is None:
        return names
    if only not in names:
        message = f"there is no environment {only}; there are {', '.join(names)}"
        raise InvalidSettingsError([Problem(str(folder), "", message)])
    return [only]


def _compare(
    name: str, before: Mapping[str, str], after: Mapping[str, str], old_file: str | None, new: Settings | None
) -> EnvironmentDiff:
    old = committed_settings(old_file, name) if old_file else None
    return EnvironmentDiff(
        name,
        settings=settings_changes(old, new) if old and new else (),
        objects=object_changes(before, after),
        notes=list(_notes(before, old_file, old, new)),
    )


def _notes(
    before: Mapping[str, str], old_file: str | None, old: Settings | None, new: Settings | None
) -> Iterator[str]:
    if not before:
        yield "nothing of it is committed yet"
    elif new is None:
        yield "its environment file is gone: GitOps prunes every object that is not guarded"
    elif old_file is None:
        yield "its environment file is not committed, so settings are not compared"
    elif old is None:
        yield "this version does not accept the committed settings, so settings are not compared; `upgrade` says why"


def _below(files: Mapping[str, str], name: str) -> dict[str, str]:
    return {path.removeprefix(f"{name}/"): text for path, text in files.items() if path.startswith(f"{name}/")}


def _texts(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}
