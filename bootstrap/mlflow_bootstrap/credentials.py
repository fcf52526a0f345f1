"""Administrators' logins: from an environment variable, a file that one names, or a prompt; from nowhere else."""

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from mlflow_bootstrap.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Values that operators hand over; ``ask`` exists only on a terminal."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    # Without a terminal getpass would read standard input, which in CI may never end.
    ask: Callable[[str], str] | None = field(default_factory=lambda: getpass.getpass if sys.stdin.isatty() else None)

    def given(self, name: str) -> SecretStr | None:
        """The value of the variable ``name``, or the content of the file that ``NAME_FILE`` names, without its newline.

        Raises:
            UsageError: the file cannot be read.
        """
        # An empty variable counts as none: CI sets those of secrets that it does not have to "".
        if self.environ.get(name):
            return SecretStr(self.environ[name])
        path = self.environ.get(f"{name}_FILE")
        return _content(f"{name}_FILE", Path(path)) if path else None

    def text(self, name: str, *, default: str) -> str:
        """The same for what is no secret, such as a user's name."""
        value = self.given(name)
        return value.get_secret_value() if value else default

    def required(self, name: str, *, purpose: str) -> SecretStr:
        """The same, asked for on a terminal if it is not given; ``purpose`` is what the prompt calls it.

        Raises:
            UsageError: it is not given and standard input is not a terminal.
        """
        value = self.given(name)
        if value is None and self.ask is not None:
            value = SecretStr(self.ask(f"{purpose}: "))
        if value is None or not value.get_secret_value():
            raise UsageError(f"no {purpose} was given", remedy=f"set {name}, or {name}_FILE to a file that holds it")
        return value


def _content(variable: str, path: Path) -> SecretStr:
    try:
        # Editors and `echo` end a file with a newline, which no password has.
        return SecretStr(path.read_text(encoding="utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read {path}, which {variable} names", remedy="check the path and its rights"
        ) from error
