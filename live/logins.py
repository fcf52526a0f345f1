"""The variables of every administrator's login, in a file that a shell reads."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path


def write_logins(file: Path, variables: Mapping[str, str]) -> Path:
    """Write ``variables`` to ``file``, which only its owner may read, for ``set -a; . FILE; set +a``."""
    # A file that exists would keep its mode, whatever it is opened with.
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as content:
        content.writelines(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    return file
