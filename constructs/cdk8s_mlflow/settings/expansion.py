"""How much a YAML document holds once its anchors are written out."""

from collections.abc import Iterable
from math import inf
from typing import Any


def size_of(document: Any) -> float:
    """Number of values of ``document``; infinite if it holds itself or is nested too deeply.

    A few lines of anchors that name each other may stand for more than any memory holds.
    """
    try:
        return _size(document, {})
    except RecursionError:
        return inf


def _size(value: Any, known: dict[int, float]) -> float:
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        # As long as its parts are counted, so that a part that is the whole has no end.
        known[id(value)] = inf
        parts: Iterable[Any] = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(value)]
