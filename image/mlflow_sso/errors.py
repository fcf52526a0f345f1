"""What can go wrong, as exit codes.

    ProgramError
    ├── UsageError     2   the command line or the environment is wrong
    ├── TerminalError  1   a person has to do something first; trying again changes nothing
    └── RetryableError  75  something is not there yet; the same command may succeed later (``EX_TEMPFAIL``)

A Job or an init container knows only from the code whether another attempt may help.
"""


class ProgramError(Exception):
    """Ends the program with ``exit_code``; ``message`` says what is wrong, ``remedy`` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return "\n".join(line for line in (f"error: {self.message}", self.remedy) if line)


class UsageError(ProgramError):
    exit_code = 2


class TerminalError(ProgramError):
    exit_code = 1


class RetryableError(ProgramError):
    exit_code = 75
