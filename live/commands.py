"""Commands that are run to their end."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run_to_end(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: str | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run ``command`` and wait, whatever its exit code is; ``environment`` is all of it, or our own if not given."""
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        # Empty rather than ours, from which a command would read what is typed for another.
        input=stdin or "",
        capture_output=True,
        text=True,
        check=False,
    )
