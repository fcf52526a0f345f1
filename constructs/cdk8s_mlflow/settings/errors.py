"""What can be wrong with the settings of an environment.

SettingsError
├── UnreadableSettingsError    the file is missing, a folder, not UTF-8, not YAML, or has a key twice
└── InvalidSettingsError       a value is of the wrong type, out of bounds, unknown, missing, or contradicts another
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: ``source`` is a file or an environment variable, ``key`` a dotted path or empty."""

    source: str
    key: str
    message: str

    @property
    def is_missing(self) -> bool:
        """Whether the key has neither a value nor a default."""
        return self.message.startswith(MISSING)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source, self.key, self.message) if part)


class SettingsError(Exception):
    """The settings of an environment cannot be used; the text has one line for each problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class UnreadableSettingsError(SettingsError):
    """The file is missing, a folder, not UTF-8, not YAML, or has a key twice."""


class InvalidSettingsError(SettingsError):
    """A value is of the wrong type, out of bounds, unknown, missing, or contradicts another."""


MISSING = "is required"
