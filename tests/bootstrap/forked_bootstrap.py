"""Runs ``bootstrap.py`` in forks of a process that has already imported everything, so that only its requests are left.

A line of JSON in: ``arguments``, ``environment``, and the file ``output`` for all that it prints. Two lines out: its
process id as soon as there is one, and its exit code, negative when it was killed.
"""

import json
import os
import sys

import hvac  # type: ignore[import-untyped]  # noqa: F401

import mlflow_bootstrap.keycloak
import mlflow_bootstrap.minio
import mlflow_bootstrap.postgres
import mlflow_bootstrap.run
import mlflow_bootstrap.store.vault  # noqa: F401
from mlflow_bootstrap import cli

for line in sys.stdin:
    task = json.loads(line)
    child = os.fork()
    # A child of fork has all modules; importing them takes longer than the requests of a run.
    if not child:
        output = os.open(task["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.update(task["environment"])
        sys.argv = ["bootstrap.py", *task["arguments"]]
        try:
            cli.main()
        except SystemExit as ended:
            # _exit, or the child would go on with the loop of its parent.
            os._exit(int(ended.code or 0))
        os._exit(0)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
