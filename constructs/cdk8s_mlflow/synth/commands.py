"""What the commands of main.py do."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from difflib import get_close_matches
from pathlib import Path

from cdk8s_mlflow.cluster_patches import cluster_backup_patch, managed_role_patch
from cdk8s_mlflow.settings import InvalidSettingsError, Override, Problem, Settings, load
from cdk8s_mlflow.settings.folder import environment_files
from cdk8s_mlflow.settings.ownership import refuse_shared
from cdk8s_mlflow.settings.renaming import refuse_renamed
from cdk8s_mlflow.settings.sources import CHART_VERSION_NOTE, chart_version_asked, overrides
from cdk8s_mlflow.synth.output_tree import atomic_replace, compare, differences, shortened
from cdk8s_mlflow.synth.render_cache import FOLDER, RenderCache
from cdk8s_mlflow.synth.synthesis import synthesize

Say = Callable[[str], None]
Ask = Callable[[str], str]
Progress = Callable[[int], AbstractContextManager[Callable[[str], None]]]

_DOTENV = Path(".env.local")


def write_tree(
    environments: Path,
    output: Path,
    *,
    override_environment: str | None,
    say: Say,
    progress: Progress,
    ask: Ask | None,
    use_cache: bool = True,
) -> str:
    """Write ``output`` from the files of ``environments`` and return how many there are and what changed.

    Overrides touch only the environment ``override_environment``, or else ``production``.

    ``ask`` is called for each required value that is missing, if there is a terminal to ask on.

    Raises:
        SettingsError: an environment cannot be used.
        OutputError: ``output`` cannot be written.
        SynthesisError: a worker process ended badly.
    """
    files = environment_files(environments)
    named = overridden_environment(files, override_environment)
    changes = _overrides(files, named, say)
    answered = {file: _answered(file, changes if file.stem == named else (), ask, say) for file in files}
    loaded = {file: settings for file, (settings, _) in answered.items()}
    # All environments, also if only one has changed: two that share a thing are both well formed.
    refuse_shared(loaded)
    refuse_renamed(loaded, output)
    _say_what_is_left(loaded, say)
    _say_what_has_no_effect(loaded, named, changes, say)
    # A worker reads the file again, and knows no answer that was given here.
    changed = frozenset(file for file, (_, answers) in answered.items() if answers)
    with atomic_replace(output) as folder, progress(len(files)) as done:
        cache = RenderCache(folder=output.parent / FOLDER) if use_cache else None
        synthesize(loaded, folder=folder, changed=changed, done=done, cache=cache)
        found = compare(folder, output)
    return f"{_counted(len(files), 'environment')}, {_counted(found.total, 'file')}: {found}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def overridden_environment(files: Sequence[Path], asked: str | None) -> str:
    """The environment that overrides touch: the one that is ``asked`` for, or production.

    Raises:
        InvalidSettingsError: there is no file of the one that is asked for.
    """
    names = [file.stem for file in files]
    if asked is not None and asked not in names:
        near = get_close_matches(asked, names, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"name one of {', '.join(names)}"
        raise InvalidSettingsError([Problem("--environment", "", f"there is no environment {asked}; {remedy}")])
    return asked or "production"


_REQUIRED = {"ingress": "ingress.host", "authentication": "authentication.keycloak_host"}
"""What to ask for where a whole section is missing."""


def _answered(
    file: Path, changes: tuple[Override, ...], ask: Ask | None, say: Say
) -> tuple[Settings, tuple[Override, ...]]:
    """The settings with ``changes`` and an answer for each required value that is missing, and these changes.

    Each value is asked for until it is allowed.
    """
    given = changes
    while True:
        try:
            return load(file, overrides=given), given
        except InvalidSettingsError as error:
            problems = error.problems
            missing = [_REQUIRED.get(problem.key, problem.key) for problem in problems if problem.is_missing]
            # Something else is wrong as well, for which an answer is no cure.
            if ask is None or len(missing) < len(problems):
                raise
        given = (*given, _answer(file, given, missing[0], ask, say))


def _answer(file: Path, given: tuple[Override, ...], key: str, ask: Ask, say: Say) -> Override:
    while True:
        answer = Override("the answer", key, ask(f"{file.name}: {key}"))
        refused = [problem for problem in _problems(file, (*given, answer)) if problem.key == key]
        if not refused:
            return answer
        for problem in refused:
            say(f"error: {problem}")


def _problems(file: Path, changes: tuple[Override, ...]) -> list[Problem]:
    try:
        load(file, overrides=changes)
    except InvalidSettingsError as error:
        return list(error.problems)
    return []


def _say_what_has_no_effect(loaded: Mapping[Path, Settings], named: str, changes: Iterable[Override], say: Say) -> None:
    """No refusal, since a build of the image reads the same variable and pushes that tag."""
    pinned = any(settings.image.digest for file, settings in loaded.items() if file.stem == named)
    for change in changes:
        if pinned and change.key == "image.tag":
            say(f"note: {named}: {change.source} has no effect on manifests, since image.digest is set and wins")


def _overrides(files: Sequence[Path], override_environment: str, say: Say) -> tuple[Override, ...]:
    changes = overrides(os.environ, _DOTENV)
    if chart_version_asked(os.environ, _DOTENV):
        say(f"note: {CHART_VERSION_NOTE}")
    if changes and override_environment not in {file.stem for file in files}:
        message = f"there is no environment {override_environment} to override; name one with --environment"
        raise InvalidSettingsError([Problem(changes[0].source, "", message)])
    for change in changes:
        say(f"note: {override_environment}: {change}")
    return changes


def _say_what_is_left(loaded: dict[Path, Settings], say: Say) -> None:
    for file, settings in loaded.items():
        if settings.database.role_management == "managed-roles":
            say(f"note: {file.stem}: add the role to your Cluster:\n{managed_role_patch(settings)}")
        if settings.backup.cluster and settings.backup.cluster.target:
            say(f"note: {file.stem}: let your Cluster archive to the ObjectStore:\n{cluster_backup_patch(settings)}")


def check_tree(
    environments: Path, output: Path, *, override_environment: str | None, say: Say, use_cache: bool = True
) -> tuple[list[str], str]:
    """A short diff between ``output`` and what only the files say, empty if it is current, and how many there are.

    Overrides are told to ``say`` and not used: ``output`` is what is committed.

    Raises:
        SettingsError: an environment cannot be used.
        SynthesisError: a worker process ended badly.
    """
    files = environment_files(environments)
    ignored = overrides(os.environ, _DOTENV)
    named = overridden_environment(files, override_environment)
    for change in ignored:
        say(f"note: {named}: {change}, which --check ignores: it reads only the files")
    loaded = {file: load(file) for file in files}
    refuse_shared(loaded)
    refuse_renamed(loaded, output)
    with tempfile.TemporaryDirectory() as folder:
        # `--check` writes nothing, its cache included.
        cache = RenderCache(folder=output.parent / FOLDER, is_read_only=True) if use_cache else None
        synthesize(loaded, folder=Path(folder), changed=frozenset(), done=lambda name: None, cache=cache)
        lines = differences(Path(folder), output)
        total = compare(Path(folder), output).total
    if lines:
        cause = f", or was written with {', '.join(change.source for change in ignored)}" if ignored else ""
        say(f"error: {output} is stale{cause}; run `make synth` and commit it")
    return shortened(lines), f"{_counted(len(files), 'environment')}, {_counted(total, 'file')}"


def validate_tree(output: Path) -> tuple[list[str], str]:
    """Problems that schemas and rules find in ``output``, a line each; if there are none, how much is valid."""
    # Its libraries load schemas for a second, which a synth without --validate need not spend.
    from cdk8s_mlflow.validation import validate

    folders = [folder for folder in sorted(output.iterdir()) if folder.is_dir()] if output.is_dir() else []
    problems = [f"{folder.name}/{problem}" for folder in folders for problem in validate(folder)]
    if problems or not folders:
        return problems, ""
    files = [path for folder in folders for path in folder.rglob("*.yaml")]
    return [], f"{output} is valid: {_counted(len(folders), 'environment')}, {_counted(len(files), 'manifest')}"


def image_references(environments: Path) -> list[str]:
    """Every image that the environments run, sorted, each once."""
    loaded = [load(file) for file in environment_files(environments)]
    tunnels = [settings.ingress.cloudflared.image for settings in loaded if settings.ingress.cloudflared]
    return sorted({*(settings.image_reference for settings in loaded), *tunnels})
