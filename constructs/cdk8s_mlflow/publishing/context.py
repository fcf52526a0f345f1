"""The folder that the image is built from, and which version of it that is."""

import subprocess
from pathlib import Path

from cdk8s_mlflow import __version__

_INSTALLED = Path(__file__).with_name("context")
"""A copy of image/, among the data of the installed package."""


def build_context() -> Path:
    """The folder with the Dockerfile: the installed package's copy, or image/ of a checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[3] / "image"


def revision(folder: Path) -> str:
    """What the label of the image says: the version that is installed, or the commit of a checkout.

    A commit is short, and marked if ``folder`` has changes; without git it is ``unknown``.
    """
    # The environment of an installed package may lie in a repository of its user's, whose commit says nothing of us.
    if folder == _INSTALLED:
        return __version__
    try:
        return _git(folder, "rev-parse", "--short=12", "HEAD") + (
            "-dirty" if _git(folder, "status", "--porcelain", "--", ".") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    ).stdout.strip()
