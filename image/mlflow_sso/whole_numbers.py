"""Numbers without a fraction in arguments and variables: digits of ASCII within bounds, and nothing else."""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping

from mlflow_sso.errors import UsageError

# Python converts no text of more than 4300 digits, and ``int`` reads those of every script, spaces and underscores.
_DIGITS = re.compile(r"[0-9]{1,18}")


def within(least: int, most: int) -> Callable[[str], int]:
    """A ``type`` for argparse."""

    def number(text: str) -> int:
        found = _read(text, least, most)
        if found is None:
            raise ArgumentTypeError(f"{_shortened(text)} is not a number from {least} to {most}")
        return found

    return number


def variable(variables: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    """The number that a variable gives, ``default`` if it is unset or empty; raises ``UsageError``."""
    text = variables.get(name) or str(default)
    found = _read(text, least, most)
    if found is None:
        raise UsageError(f"{name} is {_shortened(text)}", remedy=f"set it to a number from {least} to {most}")
    return found


def _read(text: str, least: int, most: int) -> int | None:
    found = int(text) if _DIGITS.fullmatch(text) else -1
    return found if least <= found <= most else None


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
