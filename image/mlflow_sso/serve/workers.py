"""Several worker processes below one that starts them, replaces one that was killed, and hands on the end.

Uvicorn has such a supervisor too; ours differs in that a worker which cannot start ends the server with its own exit
code, so that Kubernetes sees it and waits longer each time, and in that nothing is polled.
"""

import os
import signal
import subprocess
from collections.abc import Sequence

from mlflow_sso.log import progress


class Workers:
    """``count`` processes of ``command``, which all get the listening socket ``descriptor``."""

    def __init__(self, *, count: int, command: Sequence[str], descriptor: int) -> None:
        self._count = count
        self._command = [*command, "--socket", str(descriptor)]
        self._descriptor = descriptor
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._stopping = False

    def run(self) -> int:
        """Run them until SIGTERM or SIGINT; the exit code of one that could not start, else 0."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        for _ in range(self._count):
            self._start()
        failure = 0
        while self._running:
            failure = self._wait_for_one() or failure
        return failure

    def _start(self) -> None:
        worker = subprocess.Popen(self._command, pass_fds=[self._descriptor])
        self._running[worker.pid] = worker
        if self._stopping:  # the signal came while it was started
            worker.terminate()

    def _stop(self) -> None:
        self._stopping = True
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)

    def _wait_for_one(self) -> int:
        pid, status = os.wait()
        if self._running.pop(pid, None) is None or self._stopping:
            return 0
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            self._stop()
            return code
        progress("a worker was killed, starting another", level="warning", worker=pid, signal=-code)
        self._start()
        return 0
