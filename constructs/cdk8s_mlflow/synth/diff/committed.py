"""Files of a commit of git."""

import subprocess
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path


class CommitError(Exception):
    """What git has committed cannot be read; the text says what to do."""


def committed_files(folder: Path, *, revision: str) -> Mapping[str, str]:
    """The text of every file below ``folder`` as ``revision`` has it, by path below it; empty if it has none.

    ``folder`` need not exist any more; the repository is the one around the working directory.

    Raises:
        CommitError: git is missing, there is no repository, or ``revision`` is none of its commits.
    """
    _check(revision)
    path = folder.as_posix().rstrip("/")
    if not _git("ls-tree", "--name-only", revision, "--", f"{path}/").strip():
        return {}
    # One process for all files; `git show` would be one for each.
    archive = _git("archive", "--format=tar", revision, "--", path)
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        members = [member for member in files.getmembers() if member.isfile()]
        texts = {member.name: _text(files, member) for member in members}
    return {name.removeprefix(f"{path}/"): text for name, text in texts.items()}


def _check(revision: str) -> None:
    try:
        _git("rev-parse", "--show-toplevel")
    except CommitError as error:
        message = "this folder is in no git repository, so there is nothing to compare with; commit dist/ first"
        raise CommitError(message) from error
    try:
        _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except CommitError as error:
        raise CommitError(
            f"git has no commit {revision}; commit dist/ first, or name another with --against"
        ) from error


def _text(files: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    content = files.extractfile(member)
    return content.read().decode(errors="replace") if content else ""


def _git(*arguments: str) -> bytes:
    try:
        return subprocess.run(["git", *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
    except FileNotFoundError as error:
        raise CommitError("git is not installed; install it to compare with what is committed") from error
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise CommitError(f"`git {arguments[0]}` failed: {last[0]}") from error
