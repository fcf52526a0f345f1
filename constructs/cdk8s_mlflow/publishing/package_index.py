"""The package index that this machine's pip uses, for the build to use too."""

import subprocess
import sys
from collections.abc import Mapping


def with_index(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` with PIP_INDEX_URL from pip's configuration files, if it is not set and they name one."""
    index = environ.get("PIP_INDEX_URL") or _configured()
    return {**environ, **({"PIP_INDEX_URL": index} if index else {})}


def _configured() -> str:
    asked = subprocess.run(
        # pip itself is asked, since its configuration is merged from
        # up to four files; exit code 1 means that none names an index.
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()
