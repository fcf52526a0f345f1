"""The process above several workers, with workers that need no MLflow."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUPERVISOR = """
import os, pathlib, socket, sys, time
from mlflow_sso.serve.workers import Workers
folder, script = pathlib.Path(sys.argv[1]), sys.argv[2]
class Changes:
    def look(self):
        for file in folder.glob("changes/*"):
            value = file.read_text()
            file.unlink()
            return {**os.environ, "VALUE": value}
    def replaced(self, **fields):
        (folder / "said").open("a").write("replaced ")
    def failed(self, **fields):
        (folder / "said").open("a").write("failed ")
with socket.socket() as bound:
    command = [sys.executable, "-c", script, str(folder / "workers")]
    variables = {**os.environ, "VALUE": "first"}
    workers = Workers(
        count=2, command=command, descriptor=bound.fileno(),
        variables=variables, heartbeats=folder / "alive", changes=Changes(),
    )
    with workers.started() as gate:
        while not (folder / "open").exists():
            if (folder / "broken").exists():
                sys.exit(75)
            time.sleep(0.01)
        gate.open()
    sys.exit(workers.run())
"""


@contextmanager
def supervise(folder: Path, script: str, *, opened: bool = True) -> Iterator["subprocess.Popen[str]"]:
    """Two workers that run ``script``, behind a gate that opens once there is a file ``open``; ``broken`` ends it.

    Ended with its workers also where the test fails, which would otherwise wait for it for ever.
    """
    image = Path(__file__).parents[2] / "image"
    for name in ("workers", "alive", "changes"):
        (folder / name).mkdir()
    if opened:
        (folder / "open").touch()
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, folder, script],
        env={**os.environ, "PYTHONPATH": str(image)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            # Read to its end, since it may still say something.
            process.communicate(timeout=300)
