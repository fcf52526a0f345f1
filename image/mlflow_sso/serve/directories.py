"""The directories that the server writes: made, private, writable, and empty where a dead process left numbers."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path


def prepare(variables: Mapping[str, str]) -> Iterator[str]:
    """Create each directory for only this user, and return a line for each that cannot be written."""
    for name in ("SESSION_CACHE_DIR", "CACHE_DIR", "PROMETHEUS_MULTIPROC_DIR"):
        yield from _made(name, Path(variables[name]))
    if not os.access(tempfile.gettempdir(), os.W_OK):
        yield f"{tempfile.gettempdir()} cannot be written: mount a volume there, or set TMPDIR"


def _made(name: str, path: Path) -> Iterator[str]:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        yield f"{path} cannot be created: {(error.strerror or 'input/output error').lower()}; set {name} to another one"
        return
    if not os.access(path, os.W_OK | os.X_OK):
        yield f"{path} cannot be written by user {os.getuid()}: check the volume, or set {name} to another one"


def forget_counts(variables: Mapping[str, str]) -> None:
    """Remove the counters of an earlier container: the next process with such a number would go on with them."""
    for file in Path(variables["PROMETHEUS_MULTIPROC_DIR"]).glob("*.db"):
        file.unlink(missing_ok=True)
