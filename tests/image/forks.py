"""Runs the image's programs, and scripts, in forks of a process that has already imported what they import.

Started by a release's interpreter with the path of a socket to listen on; it ends when standard input does. Each
connection is one task, and several may run at a time. A line of JSON in: ``arguments`` of ``mlflow-sso``, or the path
of a ``script`` with its own ``arguments``; the working ``folder``; ``environment``; files for ``stdout`` and
``stderr``; ``longest``, and ``kill_after``, which may be null, in seconds. A line of JSON out: ``code`` (negative when
killed) and ``seconds``.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from typing import Any

from mlflow_sso.cli import main
from mlflow_sso.imports import collector_paused

with collector_paused():
    import authlib.integrations.base_client  # noqa: F401
    import boto3  # noqa: F401
    import fastapi  # noqa: F401
    import flask  # noqa: F401
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
    import psycopg2  # noqa: F401

    import mlflow_sso.migrate.upgrade  # noqa: F401


def run(task: dict[str, Any]) -> None:
    """Be the process that the task describes; raises ``SystemExit``."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # A fork that hangs would never be waited for.
    signal.alarm(task["longest"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(task[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    # Nothing of this process's environment, as in a container, nor what was learnt from it.
    os.environ.clear()
    os.environ.update(task["environment"])
    tempfile.tempdir = None
    time.tzset()
    os.chdir(task["folder"])
    if task["script"] is None:
        main(task["arguments"])
    sys.argv = ["-c", *task["arguments"]]
    runpy.run_path(task["script"], run_name="__main__")
    sys.exit(0)


def code_of(task: dict[str, Any]) -> int:
    """Be that process up to its end, with what Python itself does then; the code to end with."""
    code: object = 0
    try:
        run(task)
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    if not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    # The same for a fork in the standard library's own multiprocessing.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def attend(connection: socket.socket) -> None:
    """Read a task, and answer once its process has ended; in that process it does not return."""
    with connection.makefile("rw") as stream:
        task = json.loads(stream.readline())
        started = time.monotonic()
        child = os.fork()
        if child:
            if task["kill_after"] is not None:
                time.sleep(task["kill_after"])
                os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            answer = {"code": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - started}
            print(json.dumps(answer), file=stream, flush=True)
            os._exit(0)
    connection.close()
    # An interpreter that ends in the usual way touches every object of its origin, which takes longer than most tasks.
    os._exit(code_of(task))


def serve(listening: socket.socket) -> None:
    """Have each connection attended to by a fork until standard input ends."""
    # Nobody waits for those that attend; the kernel clears them away.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while sys.stdin not in select.select([sys.stdin, listening], [], [])[0]:
        connection, _ = listening.accept()
        if not os.fork():
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            attend(connection)
        connection.close()


# Without it each fork's collector writes to, and so copies, all pages of what was imported.
gc.collect()
gc.freeze()
with socket.socket(socket.AF_UNIX) as made:
    made.bind(sys.argv[1])
    made.listen(64)
    serve(made)
