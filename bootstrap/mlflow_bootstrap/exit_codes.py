"""Turns the errors of a command into lines on stderr and an exit code."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_clear_error() -> Iterator[None]:
    """The only place where errors are caught; a user never sees a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        print("stopped; run it again, every step can be repeated", file=sys.stderr)
        # 128 plus SIGINT, as shells report it.
        sys.exit(130)
    except Exception as error:
        sys.exit(_exit_code(error))


def _exit_code(error: Exception) -> int:
    # Both load pydantic, for which the help need not wait.
    from cdk8s_mlflow.settings import SettingsError
    from mlflow_bootstrap.errors import BootstrapError

    if os.environ.get("BOOTSTRAP_TRACEBACK"):
        raise error
    if isinstance(error, (BootstrapError, SettingsError)):
        lines = str(error).splitlines()
    else:
        # The text of a foreign error may hold a secret; its kind does not.
        lines = [f"{type(error).__name__} was not expected; set BOOTSTRAP_TRACEBACK=1 to see where, and report it"]
    for line in lines:
        print(f"error: {line}", file=sys.stderr)
    return 2 if isinstance(error, SettingsError) else getattr(error, "exit_code", 1)
