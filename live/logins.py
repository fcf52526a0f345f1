"""The variables of every administrator's login, in a file that a shell reads."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from live.files import write_whole


def write_logins(file: Path, variables: Mapping[str, str]) -> Path:
    """Write ``variables`` to ``file``, which only its owner may read, for ``set -a; . FILE; set +a``."""
    write_whole(file, "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()))
    return file
