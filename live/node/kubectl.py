"""kubectl, for what keeps an API server."""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from live.commands import run_to_end
from live.servers.process import ServerError

WAIT_SECONDS = 1800.0
"""Limit of a wait for what comes by itself, on a machine that does a lot else; what cannot come ends a wait at once."""

WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
"""Ends a command with the thread that waits for it: one that waits would ask a node that is gone for half an hour."""


class Kubectl(ABC):
    """Adds kubectl to an owner of an API server."""

    @property
    @abstractmethod
    def kubectl_program(self) -> Path:
        """kubectl of the API server's version."""

    @property
    @abstractmethod
    def kubeconfig(self) -> Path:
        """Of the administrator, for programs of this machine."""

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl as administrator; its standard output, and with ``check`` off its standard error behind it.

        Raises:
            ServerError: its exit code is not 0, unless ``check`` is off.
        """
        kubectl = [*WITH_US, str(self.kubectl_program), "--kubeconfig", str(self.kubeconfig)]
        done = run_to_end([*kubectl, *arguments], stdin=stdin)
        if check and done.returncode:
            raise ServerError(f"`kubectl {' '.join(arguments)}` ended with {done.returncode}: {done.stderr.strip()}")
        # Whoever asks without a check wants to see the refusal as well.
        return done.stdout if check else done.stdout + done.stderr

    def kubectl_wait(self, condition: str, *what: str) -> None:
        """Wait until ``what`` has a condition, such as ``condition=Ready`` or ``delete``.

        Raises:
            ServerError: it takes longer than WAIT_SECONDS, or there is nothing to wait for.
        """
        self.kubectl("wait", f"--for={condition}", f"--timeout={WAIT_SECONDS:.0f}s", *what)

    def get(self, *arguments: str) -> dict[str, Any]:
        """``kubectl get`` as data."""
        answer: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "--output", "json"))
        return answer
