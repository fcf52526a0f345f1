"""Programs with MLflow's client in a pod of another namespace, which runs the image of a release."""

import io
import itertools
import json
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from live.node.kubectl import WITH_US
from live.node.node import Node, NodeError

AUTHORITY = "/authority/ca.crt"
"""Where programs find the certificate of the private authority."""
_POD = "client"


@dataclass(kw_only=True)
class ClientPod:
    """Runs programs; ``namespace`` and its one pod are created by the first.

    ``authority`` is the certificate that AUTHORITY shall be.
    """

    node: Node
    namespace: str
    image: str
    authority: Path
    _created: bool = field(init=False, default=False)
    _numbers: "itertools.count[int]" = field(init=False, default_factory=lambda: itertools.count(1))

    def run(
        self,
        program: Path,
        *arguments: str,
        variables: Mapping[str, str],
        files: Mapping[str, str] | None = None,
        seconds: float = 900,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a Python program to its end in an empty folder, beside the modules of its own and ``files``.

        Raises:
            NodeError: there is no such pod.
            subprocess.TimeoutExpired: it takes longer.
        """
        self._create()
        home = f"/tmp/{next(self._numbers)}"
        # By tar through kubectl exec, as kubectl cp does; the files are texts in memory here.
        self._write(f"{home}/program", {path.name: path.read_text() for path in program.parent.glob("*.py")})
        self._write(f"{home}/work", files or {})
        set_variables = [f"{name}={value}" for name, value in {"HOME": f"{home}/home", **variables}.items()]
        command = ["env", "--chdir", f"{home}/work", *set_variables, "python", f"{home}/program/{program.name}"]
        return self._execute(*command, *arguments, seconds=seconds)

    def last_files(self) -> set[str]:
        """Names of what the last program has left in its folder."""
        newest = "cd $(ls -d /tmp/*/work | sort -V | tail -1) && ls -A"
        return set(self._execute("sh", "-c", newest).stdout.split())

    def _write(self, folder: str, files: Mapping[str, str]) -> None:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text.encode())
                tar.addfile(entry, io.BytesIO(text.encode()))
        script = f"mkdir -p {folder} && tar --extract --no-same-owner --directory {folder}"
        done = self._execute("sh", "-c", script, stdin=archive.getvalue().decode())
        if done.returncode:
            raise NodeError(f"files cannot be written into {_POD} of {self.namespace}: {done.stderr}")

    def _execute(self, *command: str, stdin: str = "", seconds: float = 900) -> "subprocess.CompletedProcess[str]":
        kubectl = [*WITH_US, str(self.node.kubectl_program), "--kubeconfig", str(self.node.kubeconfig)]
        return subprocess.run(
            [*kubectl, "exec", "--stdin", "--namespace", self.namespace, _POD, "--", *command],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    def _create(self) -> None:
        if self._created:
            return
        self.node.kubectl("create", "namespace", self.namespace)
        where = ["--namespace", self.namespace]
        self.node.kubectl("create", "configmap", "authority", f"--from-file=ca.crt={self.authority}", *where)
        self.node.kubectl("create", "--filename", "-", *where, stdin=json.dumps(self._pod()))
        self.node.kubectl_wait("condition=Ready", f"pod/{_POD}", *where)
        self._created = True

    def _pod(self) -> Mapping[str, Any]:
        container = {
            "name": "client",
            "image": self.image,
            "command": ["sleep", "infinity"],
            "env": [{"name": "MLFLOW_DISABLE_TELEMETRY", "value": "true"}],
            "volumeMounts": [{"name": "authority", "mountPath": str(Path(AUTHORITY).parent)}],
        }
        volumes = [{"name": "authority", "configMap": {"name": "authority"}}]
        # It sleeps, and would wait for its grace period in vain.
        spec = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": _POD},
            "spec": {**spec, "containers": [container], "volumes": volumes},
        }
