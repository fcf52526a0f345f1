"""Runs ``mlflow-sso migrate`` in forks of a process that has already imported everything, so that only SQL is left.

Started by a release's interpreter. A line of JSON in: ``arguments`` and ``environment`` of the program, and
``kill_after``, in seconds, or null. A line of JSON out: ``code`` (negative when killed) and ``seconds``.
"""

import json
import os
import signal
import sys
import time

import psycopg2  # noqa: F401

import mlflow_sso.upgrade  # noqa: F401
from mlflow_sso.cli import main

for line in sys.stdin:
    task = json.loads(line)
    started = time.monotonic()
    child = os.fork()
    if not child:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.environ.update(task["environment"])
        try:
            main(task["arguments"])
        except SystemExit as ended:
            os._exit(ended.code)
    if task["kill_after"] is not None:
        time.sleep(task["kill_after"])
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    answer = {"code": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - started}
    print(json.dumps(answer), flush=True)
