"""kubectl, which may wait for long, ends with the program that has started it, even if that is killed."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from live.provisioning import ROOT

WAITING = """
import sys
from pathlib import Path
from live.node.kubectl import Kubectl

class Waiting(Kubectl):
    kubectl_program = Path(sys.argv[1])
    kubeconfig = Path("/nowhere")

Waiting().kubectl_wait("condition=Ready", "pod/late")
"""


def test_waiting_kubectl_ends_with_its_killed_starter(tmp_path: Path) -> None:
    # No API server is needed: this kubectl only waits.
    program = tmp_path / "kubectl"
    program.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/pid.new\nmv {tmp_path}/pid.new {tmp_path}/pid\nexec sleep 600\n"
    )
    program.chmod(0o755)

    with subprocess.Popen([sys.executable, "-c", WAITING, program], cwd=ROOT) as starting:
        wait_until_there(tmp_path / "pid")
        child = Path("/proc", (tmp_path / "pid").read_text().strip())
        waited = child.exists()
        starting.kill()

    assert waited
    deadline = time.monotonic() + 300
    while child.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    left = child.exists()
    with suppress(ProcessLookupError):
        os.kill(int(child.name), signal.SIGKILL)
    assert not left


def wait_until_there(file: Path) -> None:
    deadline = time.monotonic() + 300
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} does not come"
        time.sleep(0.05)
