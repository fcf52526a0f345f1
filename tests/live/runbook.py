"""Commands of a document, run as they stand; only the names of the environment become those of the test's."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from blocks import blocks

from live.provisioning import ROOT
from testbed.system import System


@dataclass(frozen=True, kw_only=True)
class Runbook:
    """``page`` below docs/; ``programs`` is a folder for kubectl."""

    system: System
    page: str
    programs: Path

    @property
    def key(self) -> Path:
        """The file of an operator's age key."""
        return self.programs / "key.txt"

    @property
    def commands(self) -> list[str]:
        """All of the page, in their order."""
        return [command for block in blocks(ROOT / "docs" / self.page) for command in block.commands]

    def run(self, beginning: str) -> str:
        """Run the one command that begins so; what it printed on standard output."""
        (command,) = {one for one in self.commands if one.startswith(beginning)}
        done = self.attempt(command)
        assert done.returncode == 0, f"{beginning}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout

    def attempt(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the page to its end, whatever that is, in an empty folder."""
        folder = self.programs / str(len(list(self.programs.iterdir())))
        folder.mkdir()
        return subprocess.run(
            # A pipe to jq would hide that kubectl has failed.
            ["bash", "-euo", "pipefail", "-c", self._localized(command)],
            env=self._environment(),
            cwd=folder,
            # A command that asks for something would wait for ever.
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def _localized(self, command: str) -> str:
        environment, bundle = self.system.environment, self.system.settings.server.ca_bundle
        file, dist = environment.file, environment.dist
        replaced = {
            r"-n mlflow\b": f"-n {environment.namespace}",
            r"\bdist/production\b": shlex.quote(str(dist / environment.name)),
            r"--environment production\b": f"--environment {environment.name} --environments {file.parent}",
            r"\bpython (bootstrap|main)\.py\b": rf"{sys.executable} {ROOT}/\1.py",
            r"\bNODE\b": "node",
            r"\bkey\.txt\b": shlex.quote(str(self.key)),
            r"\b(old|new|both)\.crt\b": rf"{shlex.quote(str(self.programs))}/\1.crt",
            r"\bcompany-ca\b": bundle.name if bundle else "",
            r"instance=mlflow\b": f"instance={self.system.settings.instance}",
            r"\bmlflow-db-role\b": self.system.settings.database.role_secret,
        }
        for pattern, text in replaced.items():
            command = re.sub(pattern, text, command)
        return command

    def _environment(self) -> dict[str, str]:
        node, tools = self.system.node, self.programs / "bin"
        tools.mkdir(exist_ok=True)
        (tools / "kubectl").unlink(missing_ok=True)
        (tools / "kubectl").symlink_to(node.kubectl_program)
        path = f"{tools}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": "/root", "KUBECONFIG": str(node.kubeconfig), **self.system.backing.administration}
