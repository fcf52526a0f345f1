"""kubectl, on the current context."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from cdk8s_mlflow.trial.errors import TrialError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """Commands in ``namespace``."""

    namespace: str

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command; its standard output.

        Raises:
            TrialError: kubectl is missing, or the command fails.
        """
        if not shutil.which("kubectl"):
            raise TrialError("kubectl is missing; install it, and choose a cluster with `kubectl config use-context`")
        done = subprocess.run(
            ["kubectl", "--namespace", self.namespace, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise TrialError(f"`kubectl {arguments[0]}` failed: {done.stderr.strip()}")
        return done.stdout

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """An object; None if there is none."""
        answer = self.run("get", kind, name, "--ignore-not-found", "--output=json")
        return dict(json.loads(answer)) if answer else None

    def apply(self, text: str) -> None:
        """Apply YAML on the server's side."""
        self.run(
            # A second run may find fields that `kubectl edit` or a rollout restart has taken over.
            *("apply", "--server-side", "--force-conflicts", "--field-manager=cdk8s-mlflow-try", "--filename", "-"),
            stdin=text,
        )

    def wait_ready(self, *deployments: str, seconds: int) -> None:
        """Wait until all pods of Deployments are ready.

        Raises:
            TrialError: they are not in time; the text has what kubectl says of the pods.
        """
        for name in deployments:
            try:
                self.run("rollout", "status", f"deployment/{name}", f"--timeout={seconds}s")
            except TrialError as error:
                pods = self.run("get", "pods")
                raise TrialError(
                    f"{name} is not ready after {seconds} s; look at `kubectl describe pods "
                    f"--namespace {self.namespace}`\n{pods.strip()}"
                ) from error

    @contextmanager
    def forwarded(self, targets: Mapping[str, int]) -> Iterator[Mapping[str, int]]:
        """Free ports of this machine, by Service, that lead to a port of each Service."""
        ports = {service: _free_port() for service in targets}
        with ExitStack() as forwards:
            for service, target in targets.items():
                where = ["port-forward", f"service/{service}", f"{ports[service]}:{target}"]
                forwards.enter_context(_kept_running(["kubectl", "--namespace", self.namespace, *where]))
            for port in ports.values():
                _wait_for(port)
            yield ports


@contextmanager
def _kept_running(command: list[str]) -> Iterator[None]:
    """Run ``command`` again whenever it ends: kubectl gives a forward up once one of its connections is reset."""
    ended, changing, running = threading.Event(), threading.Lock(), list[subprocess.Popen[bytes]]()

    def start() -> subprocess.Popen[bytes] | None:
        with changing:
            if ended.is_set():
                return None
            null = subprocess.DEVNULL
            running[:] = [subprocess.Popen(command, stdin=null, stdout=null, stderr=null)]
            return running[0]

    def keep() -> None:
        while process := start():
            process.wait()
            # A pause, or a Service that has no pod would start kubectl in a busy loop.
            ended.wait(0.2)

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield
    finally:
        # Under the lock, so that no process is started between this and the loop's end.
        with changing:
            ended.set()
            for process in running:
                process.terminate()
        thread.join()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_for(port: int) -> None:
    # kubectl says that it listens only on its output, which goes nowhere since it is started again and again.
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise TrialError("`kubectl port-forward` does not listen after 30 s") from error
            time.sleep(0.1)
