"""What can go wrong, in the reader's words: what, and what to do.

PublishingError             exit 1: the build or the push ended badly; the engine's own output says why
├── UsageError              exit 2: a variable or the command line is wrong
└── NoEngineError           exit 3: no container engine answers
"""


class PublishingError(Exception):
    """A step failed; the text is one line, lowercase, without a full stop."""

    exit_code = 1


class UsageError(PublishingError):
    """A variable or the command line is wrong."""

    exit_code = 2


class NoEngineError(PublishingError):
    """No container engine answers."""

    exit_code = 3
