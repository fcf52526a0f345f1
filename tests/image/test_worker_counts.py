"""How many workers there are, whatever dies, starts or changes meanwhile: a stand-in for processes and their time."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from mlflow_sso.serve import workers
from mlflow_sso.serve.workers import Worker, Workers


class Changes:
    """A change of a Secret, once ``due``."""

    def __init__(self) -> None:
        self.due = False
        self.said: list[str] = []

    def look(self) -> Mapping[str, str] | None:
        due, self.due = self.due, False
        return {} if due else None

    def replaced(self, **_: Any) -> None:
        self.said.append("replaced")

    def failed(self, **_: Any) -> None:
        self.said.append("failed")


class Stage(Workers):
    """The real decisions over processes that are only numbers."""

    def __init__(self, count: int) -> None:
        # Before the real one, which may start a process.
        self.changes, self.now, self.answering, self._last = Changes(), 0.0, set[int](), 0
        super().__init__(
            count=count, command=[], descriptor=0, variables={}, heartbeats=Path("/nowhere"), changes=self.changes
        )
        for _ in range(count):
            self.answering.add(self._start(0))

    def _start(self, generation: int) -> int:
        self._last += 1
        self._running[self._last] = Worker(None, generation)  # type: ignore[arg-type]
        return self._last

    def _answers(self, pid: int) -> bool:
        return pid in self.answering

    @property
    def pids(self) -> list[int]:
        return sorted(self._running)

    @property
    def taking(self) -> int:
        """How many take connections, or will once they have started."""
        return sum(not one.draining for one in self._running.values())

    def is_settled(self, count: int) -> bool:
        """Whether there are ``count`` workers, all with the newest variables."""
        return len(self._running) == count and {one.generation for one in self._running.values()} == {self._wanted}

    def tick(self) -> None:
        """Half a second later."""
        self.now += workers.LOOK_SECONDS
        with patch.object(workers.time, "monotonic", lambda: self.now), patch.object(workers.os, "kill"):
            self._replace()

    def end(self, pid: int, code: int) -> None:
        with patch.object(workers.time, "monotonic", lambda: self.now):
            self._ended(pid, self._running.pop(pid), code)
        self.tick()


EVENTS = st.lists(st.tuples(st.sampled_from(("kill", "answer", "change", "leave", "wait")), st.integers(0, 9)))


def happen(stage: Stage, event: str, which: int) -> None:
    pids = stage.pids
    pid = pids[which % len(pids)]
    match event:
        # Also one that drains, or that does not answer yet.
        case "kill":
            stage.end(pid, -signal.SIGKILL)
        case "answer":
            stage.answering.add(pid)
        case "change":
            stage.changes.due = True
        case "leave" if stage._running[pid].draining:
            stage.end(pid, 0)
    stage.tick()


@given(count=st.integers(1, 4), events=EVENTS)
def test_count_of_workers_never_drifts(count: int, events: list[tuple[str, int]]) -> None:
    stage = Stage(count)

    for event, which in events:
        happen(stage, event, which)

        assert count <= stage.taking <= count + 1

    for _ in range(8 * count + 8):
        # Whoever starts answers, whoever drains ends, and a start that failed is tried again.
        stage.answering.update(stage.pids)
        for pid in stage.pids:
            if stage._running[pid].draining:
                stage.end(pid, 0)
        stage.now += workers.MAX_RETRY_SECONDS
        stage.tick()
    assert stage.is_settled(count)


@given(count=st.integers(1, 4), events=EVENTS)
def test_change_is_in_use_with_last_old_worker(count: int, events: list[tuple[str, int]]) -> None:
    stage = Stage(count)

    for event, which in events:
        before = len(stage.changes.said)
        happen(stage, event, which)

        # At that moment only: the next change makes them old again.
        if "replaced" in stage.changes.said[before:]:
            assert {one.generation for one in stage._running.values()} == {stage._wanted}
