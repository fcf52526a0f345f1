"""The worker processes below the one that starts them, replaces them, and hands on the end.

Uvicorn has such a supervisor too; ours differs in that a worker which cannot start ends the server with its own exit
code, so that Kubernetes sees it and waits longer each time, and in that workers with older secrets are replaced one by
one: a new one first answers, then an old one takes no more connections and ends with its last request.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mlflow_sso.log import progress
from mlflow_sso.serve.gate import Gate

DRAIN = signal.SIGUSR1
"""Tells a worker to take no more connections, and to end with its last request."""

LOOK_SECONDS = 0.5
START_SECONDS = 300
"""What a worker may take for its start, on a machine with much else to do."""

DRAIN_SECONDS = 60
"""How long the next worker waits for the one that ends, so that a pod has the connections of one worker more at most.

After that only long transfers are left in it, which need none.
"""

RETRY_SECONDS = 60.0
MAX_RETRY_SECONDS = 600.0


class Changes(Protocol):
    """Says when workers need other variables, and hears what became of it."""

    def look(self) -> Mapping[str, str] | None:
        """The variables of new workers if all are to be replaced now."""

    def replaced(self, **fields: Any) -> None:
        """Every worker has them, also of those that work on their last request."""

    def failed(self, **fields: Any) -> None:
        """A worker could not start with them."""


@dataclass(slots=True)
class Worker:
    """A running process, started with the variables of a ``generation``."""

    process: "subprocess.Popen[bytes]"
    generation: int
    draining: bool = False


class Workers:
    """``count`` processes of ``command``, which all get the listening socket ``descriptor``.

    ``heartbeats`` is the folder in which a worker that answers has a file; ``variables`` their environment.
    """

    def __init__(
        self,
        *,
        count: int,
        command: Sequence[str],
        descriptor: int,
        variables: Mapping[str, str],
        heartbeats: Path,
        changes: Changes,
    ) -> None:
        self._count, self._descriptor = count, descriptor
        self._command = [*command, "--socket", str(descriptor)]
        self._heartbeats, self._changes = heartbeats, changes
        self._running: dict[int, Worker] = {}
        self._stopping = self._replacing = False
        self._proven = self._wanted = 0
        self._variables = {0: variables}
        self._starting: int | None = None
        self._started = self._retry_at = self._drained_at = 0.0
        self._pause = RETRY_SECONDS

    @contextmanager
    def started(self) -> Iterator[Gate]:
        """Start the first ones, which open no store before the gate is open; an error ends them."""
        gate = Gate(self._count)
        for _ in range(self._count):
            self._start(0, gate=gate.descriptor)
        try:
            yield gate
        except BaseException:
            self._stop()
            raise

    def run(self) -> int:
        """Keep them running until SIGTERM or SIGINT; the exit code of one that could not start, else 0."""
        woken = self._wake_on_signals()
        failure = 0
        while self._running:
            select.select([woken], [], [], LOOK_SECONDS)
            _drop_all(woken)
            failure = self._reap() or failure
            if not self._stopping:
                self._replace()
        return failure

    def _wake_on_signals(self) -> int:
        """Handle signals; the descriptor of a pipe that each of them makes readable."""
        # By a pipe `select` also ends for a signal that came just before it.
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer)
        # Without a handler Python would write nothing to the pipe for this signal.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        return reader

    def _start(self, generation: int, *, gate: int | None = None) -> int:
        command, descriptors = self._command, [self._descriptor]
        if gate is not None:
            command, descriptors = [*command, "--gate", str(gate)], [*descriptors, gate]
        process = subprocess.Popen(command, pass_fds=descriptors, env=dict(self._variables[generation]))
        self._running[process.pid] = Worker(process, generation)
        if self._stopping:  # the signal came while it was started
            process.terminate()
        return process.pid

    def _stop(self) -> None:
        self._stopping = True
        for pid in self._running:
            # It may have ended a moment ago.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _reap(self) -> int:
        failure = 0
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            # A later worker with the same number would count as one that answers.
            (self._heartbeats / str(pid)).unlink(missing_ok=True)
            worker = self._running.pop(pid, None)
            if worker is not None and not self._stopping:
                failure = self._ended(pid, worker, os.waitstatus_to_exitcode(status)) or failure
        return failure

    def _ended(self, pid: int, worker: Worker, code: int) -> int:
        if pid == self._starting:
            self._give_up(code)
        elif worker.draining:
            self._forget_old_variables()
        elif code >= 0:
            self._stop()
            return code
        else:
            progress("a worker was killed, starting another", level="warning", worker=pid, signal=-code)
            self._start(self._proven)
        return 0

    def _replace(self) -> None:
        variables = self._changes.look()
        if variables is not None:
            self._wanted, self._replacing = self._wanted + 1, True
            self._variables[self._wanted] = variables
            self._retry_at, self._pause = 0.0, RETRY_SECONDS
        if self._starting is not None:
            self._follow_start(self._starting)
        elif self._old and time.monotonic() >= self._retry_at and not self._is_draining:
            self._started, self._starting = time.monotonic(), self._start(self._wanted)
        elif self._replacing and all(one.generation == self._wanted for one in self._running.values()):
            self._replacing = False
            self._changes.replaced(workers=self._count)

    @property
    def _old(self) -> list[int]:
        """Workers of an earlier generation that still take connections."""
        return [pid for pid, one in self._running.items() if one.generation < self._wanted and not one.draining]

    @property
    def _is_draining(self) -> bool:
        draining = any(one.draining for one in self._running.values())
        return draining and time.monotonic() - self._drained_at < DRAIN_SECONDS

    def _follow_start(self, pid: int) -> None:
        if self._answers(pid):
            self._starting, self._proven = None, self._running[pid].generation
            # Without an old one there is one too many if another was started for one that was killed meanwhile.
            taking = [other for other, one in self._running.items() if not one.draining]
            leaving = min(self._old, default=max(taking) if len(taking) > self._count else None)
            if leaving is not None:
                self._running[leaving].draining, self._drained_at = True, time.monotonic()
                os.kill(leaving, DRAIN)
        elif time.monotonic() - self._started > START_SECONDS:
            os.kill(pid, signal.SIGKILL)

    def _answers(self, pid: int) -> bool:
        return (self._heartbeats / str(pid)).exists()

    def _give_up(self, code: int) -> None:
        self._starting, self._retry_at = None, time.monotonic() + self._pause
        self._changes.failed(code=code, retry_seconds=self._pause)
        self._pause = min(2 * self._pause, MAX_RETRY_SECONDS)

    def _forget_old_variables(self) -> None:
        needed = {self._proven, self._wanted, *(one.generation for one in self._running.values())}
        self._variables = {number: self._variables[number] for number in needed}


def _drop_all(descriptor: int) -> None:
    with suppress(BlockingIOError):
        while os.read(descriptor, 4096):
            pass
