"""The output tree: written beside the old one, then put in its place; a failed synth leaves the old one whole."""

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DIFF_LINES = 40


class OutputError(Exception):
    """The output folder cannot be written; the text says what to do."""


@contextmanager
def replacement(output: Path) -> Iterator[Path]:
    """A new folder that takes ``output``'s place when the block ends well, and goes when it does not.

    Raises:
        OutputError: the folder, or the one above it, cannot be written.
    """
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file; remove it, or name another output folder")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    except OSError as error:
        raise OutputError(_unwritable(output, error)) from error
    try:
        fresh.chmod(0o755)
        yield fresh
        _swap(fresh, output)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _swap(fresh: Path, output: Path) -> None:
    old = fresh.with_name(f"{fresh.name}-old")
    try:
        if output.exists():
            if not os.access(output, os.W_OK):
                raise PermissionError(13, "permission denied")
            output.rename(old)
        fresh.rename(output)
    except OSError as error:
        if old.exists():
            old.rename(output)
        raise OutputError(_unwritable(output, error)) from error
    shutil.rmtree(old, ignore_errors=True)


def _unwritable(output: Path, error: OSError) -> str:
    return f"cannot write {output} ({(error.strerror or str(error)).lower()}); check its permissions"


def differences(expected: Path, actual: Path) -> list[str]:
    """A unified diff of two trees, file by file, short enough to read; empty where they are equal."""
    names = sorted({*_files(expected), *_files(actual)})
    return [line for name in names for line in _difference(name, expected / name, actual / name)]


def shortened(lines: list[str]) -> list[str]:
    """The first lines of a diff and how many are left out."""
    rest = len(lines) - _DIFF_LINES
    return lines if rest <= 0 else [*lines[:_DIFF_LINES], f"({rest} more lines)"]


def _files(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def _difference(name: str, expected: Path, actual: Path) -> list[str]:
    before, after = (_lines(actual), _lines(expected))
    return list(difflib.unified_diff(before, after, f"{name} (on disk)", f"{name} (from settings)", "", "", 1, ""))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
