"""The command ``upgrade``: from the version that wrote dist/ to the one that is installed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from cdk8s_mlflow import __version__
from cdk8s_mlflow.annotations import VERSION_ANNOTATION
from cdk8s_mlflow.project.history import HISTORY, VersionChanges, order, since
from cdk8s_mlflow.project.lock import HEADER, LOCK, write_lock
from cdk8s_mlflow.project.renaming import renamed_text
from cdk8s_mlflow.settings.folder import environment_files
from cdk8s_mlflow.settings.schema import SCHEMA_FILE, schema_text
from cdk8s_mlflow.settings.sources import read_document


class UpgradeError(Exception):
    """The manifests cannot be brought to this version; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentUpgrade:
    """What the versions since the one that wrote an environment's manifests mean for it."""

    name: str
    written: str | None
    """Version that wrote the manifests; None if they do not say, as before 0.1.0."""
    renamed: Mapping[str, str]
    removed: Mapping[str, str]
    """Why each setting was removed from the file, by its key."""
    changes: tuple[VersionChanges, ...]
    unset: tuple[str, ...]
    """Settings with another default now that the environment leaves to it."""

    def lines(self) -> Iterator[str]:
        """The report as a person reads it."""
        yield self.name
        yield f"  written by {self.written or 'a version before 0.1.0'}, now {__version__}"
        yield from (f"  renamed: {old} → {new}" for old, new in self.renamed.items())
        yield from (f"  removed: {key}: {why}" for key, why in self.removed.items())
        for default in (default for entry in self.changes for default in entry.defaults):
            if default.key in self.unset:
                yield f"  default: {default.key} {default.before} → {default.after}: {default.why}"
        yield from (f"  to do: {action}" for entry in self.changes for action in entry.actions)


def upgrade(
    environments: Path,
    output: Path,
    *,
    write: bool,
    wheel: Path | None = None,
    history: tuple[VersionChanges, ...] = HISTORY,
) -> list[EnvironmentUpgrade]:
    """Rewrite renamed settings, and renew schema and lock if ``new`` has written them; say what changed since.

    Raises:
        SettingsError: an environment cannot be read, or has a setting under its old and its new name.
        UpgradeError: a newer version wrote the manifests.
        LockError: there is no wheel of this version to pin.
    """
    files = environment_files(environments)
    # All are planned before one is written, so that an error leaves every file as it was.
    plans = [_plan(file, output, history) for file in files]
    if write:
        for file, (_, text) in zip(files, plans, strict=True):
            if text != file.read_text(encoding="utf-8"):
                file.write_text(text, encoding="utf-8")
        _renew(environments, wheel)
    return [found for found, _ in plans]


def _plan(file: Path, output: Path, history: tuple[VersionChanges, ...]) -> tuple[EnvironmentUpgrade, str]:
    written = written_by(output / file.stem)
    if written and order(written) > order(__version__):
        raise UpgradeError(f"{output / file.stem} was written by version {written}, which is newer; install that")
    changes = since(written, history=history)
    reasons = {key: why for entry in changes for key, why in entry.removed.items()}
    text, renamed, gone = renamed_text(
        file, {old: new for entry in changes for old, new in entry.renamed.items()}, reasons
    )
    document = read_document(file)
    keys = [default.key for entry in changes for default in entry.defaults]
    found = EnvironmentUpgrade(
        name=file.stem,
        written=written,
        renamed=renamed,
        removed={key: reasons[key] for key in gone},
        changes=changes,
        unset=tuple(key for key in keys if not _is_set(document, key)),
    )
    return found, text


def written_by(folder: Path) -> str | None:
    """The version that wrote the manifests of an environment's ``folder``; None if they do not say."""
    # As everywhere here: the C reader of YAML is one of version 1.1.
    yaml = YAML(typ="safe", pure=True)
    # Either may bear it: the Service does if the ServiceAccount is not ours.
    files = [file for kind in ("ServiceAccount", "Service") for file in (folder / "application").glob(f"{kind}.*.yaml")]
    for file in sorted(files):
        annotations = yaml.load(file.read_text(encoding="utf-8"))["metadata"].get("annotations", {})
        if VERSION_ANNOTATION in annotations:
            return str(annotations[VERSION_ANNOTATION])
    return None


def _is_set(document: Mapping[str, object], key: str) -> bool:
    section, _, name = key.partition(".")
    value = document.get(section)
    return name in value if isinstance(value, Mapping) else False


def _renew(environments: Path, wheel: Path | None) -> None:
    if (environments / SCHEMA_FILE).is_file():
        (environments / SCHEMA_FILE).write_text(schema_text(), encoding="utf-8")
    lock = Path(LOCK)
    # A lock that another tool wrote is not replaced.
    if lock.is_file() and lock.read_text(encoding="utf-8").startswith(HEADER):
        write_lock(Path(), wheel=wheel)
