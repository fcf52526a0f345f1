"""What can go wrong, in the reader's words: what, where, what to do.

BootstrapError                  exit 1
├── UsageError                  exit 2: the command line or the environment lacks something
├── UnreachableError            exit 3: a system does not answer, or answers with its own fault to the last attempt
├── RefusedError                exit 3: a system refuses the login, or the login lacks a right
├── ConflictError               exit 1: another run changed the same thing at the same time
├── MissingError                exit 1: something is not there that another team or tool creates
├── OwnershipError              exit 1: something is in the way that this instance does not own
└── DriftError                  exit 1: a system is not as the settings say
"""


class BootstrapError(Exception):
    """A step failed; ``text`` is lowercase, without a full stop, and ``remedy`` says what to do.

    Neither ever holds a secret.
    """

    exit_code = 1

    def __init__(self, text: str, *, remedy: str) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.text}; {self.remedy}"


class UsageError(BootstrapError):
    """The command line or the environment lacks something."""

    exit_code = 2


class UnreachableError(BootstrapError):
    """A system does not answer, or answers with its own fault to the last attempt."""

    exit_code = 3


class RefusedError(BootstrapError):
    """A system refuses the login, or the login lacks a right."""

    exit_code = 3


class ConflictError(BootstrapError):
    """Another run changed the same thing at the same time."""


class MissingError(BootstrapError):
    """Something is not there that another team or tool creates."""


class OwnershipError(BootstrapError):
    """Something is in the way that this instance does not own; ``flag`` of apply would take it over, if any would."""

    def __init__(self, text: str, *, remedy: str, flag: str | None = None) -> None:
        super().__init__(text, remedy=remedy)
        self.flag = flag


class DriftError(BootstrapError):
    """A system is not as the settings say."""
