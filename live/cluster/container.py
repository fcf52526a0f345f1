"""One container's process: started in its sandbox, signalled from outside it, and waited for."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from live.cluster.image import Image
from live.cluster.objects import Unsupported
from live.cluster.sandbox import sandboxed
from live.cluster.volumes import mounts


class SandboxError(Exception):
    """No container can be started on this machine."""


@dataclass(kw_only=True)
class Container:
    """A container of a pod's template; ``ports`` maps its container ports to free ones of this machine."""

    spec: Mapping[str, Any]
    pod_spec: Mapping[str, Any]
    image: Image
    volumes: Mapping[str, Path]
    injected: Mapping[str, str]
    """Variables that the kubelet sets beside the manifest's."""
    ports: Mapping[int, int]
    log: Path
    _process: "subprocess.Popen[bytes] | None" = field(init=False, default=None, repr=False)
    _inner: int = field(init=False, default=0)

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def environment(self) -> dict[str, str]:
        """All variables of the process: the image's, the kubelet's, the manifest's."""
        return {**self.image.environment, **self.injected, **dict(map(_variable, self.spec.get("env", [])))}

    @property
    def command(self) -> list[str]:
        """What it runs; pods share one network here, so a container port gives way to the pod's free one."""
        moved = {str(inside): str(outside) for inside, outside in self.ports.items()}
        # A pod's address is its own; here it is the machine's, which nobody else shall reach.
        address = ["--host", "127.0.0.1"] if self.ports and self.spec.get("ports") else []
        return [*(moved.get(word, word) for word in [*self.spec["command"], *self.spec.get("args", [])]), *address]

    @property
    def pid(self) -> int:
        """Number of the process inside the sandbox."""
        return self._inner

    def start(self) -> None:
        """Start it without waiting. The thread that calls this must outlive the container: it dies with it."""
        self._process, self._inner = self._sandboxed(self.command)

    def _sandboxed(self, command: Sequence[str]) -> "tuple[subprocess.Popen[bytes], int]":
        """The sandbox's process and the number of the one inside."""
        read, write = os.pipe()
        security = {**self.pod_spec.get("securityContext", {}), **self.spec.get("securityContext", {})}
        line = sandboxed(
            command,
            security=security,
            mounts=mounts(self.spec, self.volumes),
            needed=self.image.needed,
            report=write,
        )
        try:
            process = self._popen(line, write)
        finally:
            os.close(write)
        return process, _reported(read)

    def _popen(self, line: Sequence[str], report: int) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                line,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[report],
                # Ctrl-C on a terminal is not for containers.
                start_new_session=True,
            )

    def run(self, command: Sequence[str]) -> int:
        """Run another command in a container like this one and wait for its end, as ``kubectl exec`` would."""
        process, _ = self._sandboxed(command)
        return process.wait()

    @property
    def exit_code(self) -> int | None:
        """Nothing while it runs."""
        return self._process.poll() if self._process else None

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code, or nothing where it still runs after ``seconds``."""
        if self._process is None:
            return None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, grace_seconds: float) -> bool:
        """SIGTERM, and SIGKILL after ``grace_seconds``; whether it ended by itself."""
        if self.exit_code is not None or not self._process:
            return True
        os.kill(self._inner, signal.SIGTERM)
        if self.wait(grace_seconds) is not None:
            return True
        os.kill(self._inner, signal.SIGKILL)
        self._process.wait()
        return False


def _reported(pipe: int) -> int:
    with os.fdopen(pipe) as report:
        text = report.read()
    if not text:
        raise SandboxError("bubblewrap made no sandbox; it needs user namespaces, and says more in the pod's log")
    return int(json.loads(text)["child-pid"])


def _variable(item: Mapping[str, Any]) -> tuple[str, str]:
    if "value" not in item:
        raise Unsupported(f"the variable {item['name']} has no plain value")
    return item["name"], item["value"]
