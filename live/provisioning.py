"""The bootstrap as an operator runs it: a process of its own, with administrators' logins in its environment."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from live.commands import run_to_end

ROOT = Path(__file__).parents[1]


class ProvisioningError(Exception):
    """The bootstrap failed; the text is what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """``bootstrap.py`` for one environment file."""

    file: Path
    administration: Mapping[str, str] = field(repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)
    """More of its environment."""

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it to its end, whatever that is; away from any .env.local."""
        where = ["--environment", self.file.stem, "--environments", str(self.file.parent)]
        return run_to_end(
            [sys.executable, str(ROOT / "bootstrap.py"), *arguments, *where],
            # Only these, so that a variable of this shell cannot stand in for one that the guides forget.
            environment={
                "PATH": os.environ["PATH"],
                "HOME": os.environ.get("HOME", "/"),
                **self.variables,
                **self.administration,
            },
            folder=self.file.parent,
        )

    def succeed(self, *arguments: str) -> str:
        """Run it, and give what it printed.

        Raises:
            ProvisioningError: its exit code is not 0.
        """
        done = self.run(*arguments)
        if done.returncode:
            said = (done.stderr + done.stdout).strip()
            raise ProvisioningError(f"bootstrap.py {' '.join(arguments)} ended with {done.returncode}:\n{said}")
        return done.stdout
