"""The output tree: written beside the old one, then put in its place; a failed synth leaves the old one whole."""

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_DIFF_LINES = 40


class OutputError(Exception):
    """The output folder cannot be written; the text says what to do."""


@contextmanager
def atomic_replace(output: Path) -> Iterator[Path]:
    """A new folder that replaces ``output`` if the block succeeds, and is deleted if it fails.

    Raises:
        OutputError: the folder, or the one above it, cannot be written.
    """
    # A link stays one: what it leads to is replaced.
    output = output.resolve() if output.is_symlink() else output
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file; remove it, or name another output folder")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        # Beside the old one, on the same file system, so that it is put in place by a rename.
        fresh = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    except OSError as error:
        raise OutputError(_unwritable(output, error)) from error
    try:
        # mkdtemp makes folders that only their owner may enter.
        fresh.chmod(0o755)
        yield fresh
        _swap(fresh, output)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _swap(fresh: Path, output: Path) -> None:
    old = fresh.with_name(f"{fresh.name}-old")
    try:
        if output.exists():
            # A rename needs no right to the folder itself, whose owner took it away on purpose.
            if not os.access(output, os.W_OK):
                raise PermissionError(13, "permission denied")
            output.rename(old)
        fresh.rename(output)
    except OSError as error:
        raise OutputError(_unwritable(output, error)) from error
    finally:
        # Also after Ctrl-C between the two renames.
        if old.exists() and not output.exists():
            old.rename(output)
    shutil.rmtree(old, ignore_errors=True)


def _unwritable(output: Path, error: OSError) -> str:
    return f"cannot write {output} ({(error.strerror or str(error)).lower()}); check its permissions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Which files two trees have, by their paths: those of one only, and those of both."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    deleted: tuple[str, ...]
    """Files of the old tree only, and its folders without a file."""

    @property
    def total(self) -> int:
        """Files of the new tree."""
        return len(self.created) + len(self.changed) + len(self.unchanged)

    def __str__(self) -> str:
        counts = {name: len(getattr(self, name)) for name in ("created", "changed", "unchanged", "deleted")}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def compare(expected: Path, actual: Path) -> Comparison:
    """What writing ``expected`` over ``actual`` does to each file."""
    # A chart without objects leaves an empty folder, which git does not keep.
    empty = {name for name in _leaves(expected) if (expected / name).is_dir()}
    wanted, found = _leaves(expected) - empty, _leaves(actual) - empty
    both = sorted(name for name in wanted & found if (actual / name).is_file())
    equal = {name for name in both if (expected / name).read_bytes() == (actual / name).read_bytes()}
    return Comparison(
        created=tuple(sorted(wanted - set(both))),
        changed=tuple(name for name in both if name not in equal),
        unchanged=tuple(name for name in both if name in equal),
        deleted=tuple(sorted(found - set(both))),
    )


def differences(expected: Path, actual: Path) -> list[str]:
    """A unified diff of two trees, file by file; empty if their bytes are equal."""
    found = compare(expected, actual)
    names = sorted({*found.created, *found.changed, *found.deleted})
    return [line for name in names for line in _difference(name, expected / name, actual / name)]


def shortened(lines: list[str]) -> list[str]:
    """The first lines of a diff and how many are left out."""
    rest = len(lines) - _DIFF_LINES
    return lines if rest <= 0 else [*lines[:_DIFF_LINES], f"({rest} more lines)"]


def _leaves(folder: Path) -> set[str]:
    """Files, links and folders without anything in them."""
    found = set[str]()
    for place, folders, files in os.walk(folder):
        inside = Path(place).relative_to(folder).as_posix()
        above = "" if inside == "." else f"{inside}/"
        found |= {f"{above}{name}" for name in (*files, *(name for name in folders if Path(place, name).is_symlink()))}
        if above and not folders and not files:
            found.add(inside)
    return found


def _difference(name: str, expected: Path, actual: Path) -> list[str]:
    before, after = _lines(actual), _lines(expected)
    names = (f"{name} (on disk)", f"{name} (from settings)")
    shown = list(difflib.unified_diff(before, after, *names, "", "", 1, ""))
    if shown:
        return shown
    if not expected.exists():
        return [f"{name} is on disk, and not from the settings"]
    return [f"{name} has other bytes on disk, such as other line ends" if actual.is_file() else f"{name} is missing"]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
