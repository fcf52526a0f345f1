"""Runs the engine's commands, each printed before it starts."""

import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence

from publishing.errors import PublishingError


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def run(command: Sequence[str], environment: Mapping[str, str], *, capture: bool = False) -> str:
    """Run ``command`` with its output on our stderr, or given back.

    Raises:
        PublishingError: it ended with another code than 0.
    """
    say(f"$ {shlex.join(command)}")
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if capture else sys.stderr,
        text=True,
        check=False,
    )
    if done.returncode:
        step = " ".join(command[:2])
        raise PublishingError(f"`{step}` failed with exit code {done.returncode}; its output above says why")
    return done.stdout or ""
