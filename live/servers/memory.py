"""Where servers that make thousands of files, and whose data nobody keeps, have it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

MEMORY = Path("/dev/shm")  # noqa: S108


@contextmanager
def memory_folder(prefix: str, *, room: int = 0) -> Iterator[Path]:
    """A temporary folder in memory where ``room`` bytes are free there, else on the disk."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= room
    with TemporaryDirectory(prefix=prefix, dir=MEMORY if in_memory else None, ignore_cleanup_errors=True) as folder:
        # PostgreSQL runs as another user where we are root.
        Path(folder).chmod(0o711)
        yield Path(folder)
