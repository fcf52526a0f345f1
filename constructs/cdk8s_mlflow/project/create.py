"""The command ``new``: a user's own repository, with its first environment rendered."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from cdk8s_mlflow.project.lock import write_lock
from cdk8s_mlflow.settings import load
from cdk8s_mlflow.settings.schema import SCHEMA_FILE, schema_text
from cdk8s_mlflow.synth.new_environment import Ask, Say, write_environment
from cdk8s_mlflow.synth.synthesis import synthesize

_TEMPLATES = Path(__file__).with_name("templates")
_FILES = {
    "README.md": "README.md.template",
    "Makefile": "Makefile.template",
    "main.py": "main.py.template",
    "bootstrap.py": "bootstrap.py.template",
    "cdk8s.yaml": "cdk8s.yaml.template",
    ".gitattributes": "gitattributes.template",
    ".gitignore": "gitignore.template",
    ".github/workflows/manifests.yaml": "github.yaml.template",
    ".gitlab-ci.yml": "gitlab.yaml.template",
}
ENVIRONMENT = "production"


class FolderError(Exception):
    """The folder cannot become a repository; the text says what to do."""


def create_project(
    folder: Path, *, hosts: Mapping[str, str | None], ask: Ask | None, say: Say, wheel: Path | None
) -> None:
    """Write a repository into ``folder``: completely, or not at all.

    ``hosts`` are the options of ``init`` by flag; ``ask`` is asked for those that are missing.

    Raises:
        FolderError: ``folder`` is a file, has files, or cannot be written.
        SettingsError: a host is not allowed.
        LockError: there is no wheel of this version to pin.
        SynthesisError: rendering failed.
    """
    check_folder(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # On the same file system, so that the moves below are renames.
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as made:
            _write(Path(made), hosts=hosts, ask=ask, say=say, wheel=wheel)
            # Entry by entry, since the folder itself may exist and hold .git.
            folder.mkdir(exist_ok=True)
            for path in sorted(Path(made).iterdir()):
                path.rename(folder / path.name)
    except OSError as error:
        raise FolderError(f"cannot write {folder} ({(error.strerror or str(error)).lower()})") from error


def check_folder(folder: Path) -> None:
    """Refuse a folder that has anything but git's own folder.

    Raises:
        FolderError: it is a file, or not empty.
    """
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder} is a file; name a new or an empty folder")
    if folder.is_dir() and any(path.name != ".git" for path in folder.iterdir()):
        raise FolderError(f"{folder} is not empty; name a new or an empty folder")


def _write(folder: Path, *, hosts: Mapping[str, str | None], ask: Ask | None, say: Say, wheel: Path | None) -> None:
    environments = folder / "environments"
    file = write_environment(environments, ENVIRONMENT, given=hosts, ask=ask, say=say, instance="mlflow", command="new")
    (environments / SCHEMA_FILE).write_text(schema_text(), encoding="utf-8")
    for name, template in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((_TEMPLATES / template).read_text(encoding="utf-8"), encoding="utf-8")
    write_lock(folder, wheel=wheel)
    synthesize({file: load(file)}, folder=folder / "dist", changed=frozenset(), done=lambda name: None)
