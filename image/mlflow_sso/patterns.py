"""Compares the patterns of grants with names, so that no pattern and no name stops a worker.

Both plugins use Python's ``re``, which tries every way to match and meanwhile lets no thread of the process run: a name
of forty letters and ``(a|aa)+$`` take minutes, and names are the members'. A pattern that has few ways to match is left
to ``re``; of others decides the engine of Rust that is loaded with FastAPI, whose time grows with the name's length.
"""

import importlib
import logging
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

# The tree of a pattern, which ``re`` itself builds before it compiles; its module has no public name since 3.11.
_parser: Any = importlib.import_module("re._parser")

MOST_REPEATS = 2
"""The steps of ``re`` are at most the length of the name to this power; names have 500 characters at most."""
ENDLESS = 1000
OTHERS_SYNTAX = ("[[", "&&", "--", "~~", "{,")
"""What both engines read, each as something else."""

REFUSED = "a pattern that repeats what repeats, with looking ahead or behind or with references, is not served"

Matches = Callable[[str], bool]


def matches(pattern: str, name: str) -> bool:
    """Whether ``pattern`` matches from the begin of ``name``, not to its end, as the plugins compare."""
    compiled = _compiled(pattern)
    return compiled is not None and compiled(name)


def problem_of(pattern: str) -> str | None:
    """Why a pattern matches no name; None if it may match one. Raises ``re.error`` for one that is no pattern."""
    return None if _compiled(pattern) else REFUSED


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Matches | None:
    compiled = re.compile(pattern)
    if _repeats(_parser.parse(pattern)) <= MOST_REPEATS:
        return lambda name: compiled.match(name) is not None
    linear = None if any(one in pattern for one in OTHERS_SYNTAX) else _linear(pattern)
    if linear is None:
        logging.getLogger(__name__).warning("the pattern %r of a grant matches nothing: %s", pattern, REFUSED)
    return linear


def _linear(pattern: str) -> Matches | None:
    # Loaded with the server; the programs that do without it do without patterns, too.
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    try:
        # It searches; the group keeps alternatives together.
        schema = core_schema.str_schema(pattern=rf"\A(?:{pattern})", regex_engine="rust-regex")
        return SchemaValidator(schema).isinstance_python
    except SchemaError:
        return None


def _repeats(parts: Iterable[Any]) -> int:
    """How many parts of a pattern may match in several ways, one after the other; ENDLESS if one lies in another."""
    total = 0
    for code, argument in parts:
        match str(code):
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, inner = argument
                within = _repeats(inner)
                total += within * int(least) if least == most else ENDLESS if within else 1
            case "BRANCH":
                total += 1 + max(_repeats(one) for one in argument[1])
            case "SUBPATTERN":
                total += _repeats(argument[3])
            case "ASSERT" | "ASSERT_NOT":
                total += _repeats(argument[1])
            case "ATOMIC_GROUP":
                total += _repeats(argument)
            case "GROUPREF" | "GROUPREF_EXISTS":
                total += ENDLESS
    return total
