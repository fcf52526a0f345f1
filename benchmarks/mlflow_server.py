"""The process of MLflow's own server with one worker, to compare with."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def started(
    venv: Path, port: int, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path | None = None
) -> "subprocess.Popen[bytes]":
    """``mlflow server`` of ``venv``, without waiting; it runs in ``folder`` and sees only ``environment``."""
    address = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    return subprocess.Popen(
        [str(venv / "bin" / "mlflow"), "server", *address, *arguments],
        env=dict(environment),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A process group of its own, by which `end` reaches the worker as well.
        start_new_session=True,
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    """End it, and its worker, which outlives its parent."""
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(60)
