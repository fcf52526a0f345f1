"""Lets the first workers import MLflow while the process that has started them looks at the databases.

Importing takes two seconds of a core, and looking at both schemas a quarter of one; a worker opens its stores only when
that has been done.
"""

import os

_descriptor: int | None = None


class Gate:
    """Shut for ``count`` workers, which get ``descriptor``, until it is opened or the process that has it ends."""

    def __init__(self, count: int) -> None:
        self._count = count
        # Neither is inherited, except by who is given it by name.
        self.descriptor, self._writer = os.pipe()

    def open(self) -> None:
        """Let all of them go on."""
        os.write(self._writer, bytes(self._count))
        os.close(self._writer)
        os.close(self.descriptor)


def shut(descriptor: int | None) -> None:
    """Have this worker wait at ``descriptor``, if it has one, before it opens its stores."""
    global _descriptor
    _descriptor = descriptor


def wait() -> None:
    """Return once the databases are as this worker needs them; end it quietly if that will not come."""
    if _descriptor is None:
        return
    if not os.read(_descriptor, 1):
        os._exit(0)
    os.close(_descriptor)
    shut(None)
