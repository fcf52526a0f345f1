"""SIGTERM as an error at a moment that suits the program, or in the middle of its work if that moment does not come."""

import signal
from types import FrameType

from mlflow_sso.errors import RetryableError

PATIENCE = 10
"""Seconds after SIGTERM, within the pod's grace period of 30, after which work is broken off where it stands."""


class Termination:
    """Whether SIGTERM has come."""

    def __init__(self) -> None:
        self._has_come = False

    @classmethod
    def expect(cls) -> "Termination":
        """Take SIGTERM from now on; call it from the main thread, once a process."""
        termination = cls()
        signal.signal(signal.SIGTERM, termination._note)
        signal.signal(signal.SIGALRM, termination._break_off)
        return termination

    def require_none(self) -> None:
        """Raise ``RetryableError`` if SIGTERM has come."""
        if self._has_come:
            raise RetryableError("stopped by SIGTERM", remedy="run it again: it continues where it stopped")

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._has_come = True
        signal.alarm(PATIENCE)

    def _break_off(self, number: int, frame: FrameType | None) -> None:
        self.require_none()
