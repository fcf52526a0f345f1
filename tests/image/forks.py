"""Runs the image's programs, and scripts, in forks of a process that has already imported what they import.

Started by a release's interpreter. A line of JSON in: ``arguments`` of ``mlflow-sso``, or the path of a ``script`` with
its own ``arguments``; ``environment``; files for ``stdout`` and ``stderr``; and ``kill_after``, in seconds, or null. A
line of JSON out: ``code`` (negative when killed) and ``seconds``.
"""

import json
import os
import runpy
import signal
import sys
import time
from typing import Any

from mlflow_sso.cli import main
from mlflow_sso.imports import collector_paused

with collector_paused():
    import boto3  # noqa: F401
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
    import psycopg2  # noqa: F401

    import mlflow_sso.migrate.upgrade  # noqa: F401

LONGEST = 1200
"""Seconds after which a fork is ended."""


def run(task: dict[str, Any]) -> None:
    """Be the process that the task describes; raises ``SystemExit``."""
    # A fork that hangs would hold up every test after it.
    signal.alarm(LONGEST)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(task[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    # Nothing of this process's environment, as in a container.
    os.environ.clear()
    os.environ.update(task["environment"])
    if task["script"] is None:
        main(task["arguments"])
    sys.argv = ["-c", *task["arguments"]]
    runpy.run_path(task["script"], run_name="__main__")
    sys.exit(0)


for line in sys.stdin:
    task = json.loads(line)
    started = time.monotonic()
    child = os.fork()
    if not child:
        run(task)
    if task["kill_after"] is not None:
        time.sleep(task["kill_after"])
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    answer = {"code": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - started}
    print(json.dumps(answer), flush=True)
