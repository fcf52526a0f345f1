"""Runs the engine's commands, each printed before it starts."""

import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence

from cdk8s_mlflow.publishing.errors import PublishingError


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def run(command: Sequence[str], environment: Mapping[str, str], *, hear: bool = False) -> str:
    """Run ``command`` with its output on our stderr; also give back what it printed where ``hear`` asks for it.

    Raises:
        PublishingError: it ended with another code than 0.
    """
    say(f"$ {shlex.join(command)}")
    heard = []
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if hear else sys.stderr,
        text=True,
    ) as process:
        for line in process.stdout or ():
            say(line.rstrip("\n"))
            heard.append(line)
    if process.returncode:
        step = " ".join(command[:2])
        raise PublishingError(f"`{step}` failed with exit code {process.returncode}; its output above says why")
    return "".join(heard)
