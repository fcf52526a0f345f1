"""Builds the validator of a parameter once for all routes that have such a parameter.

FastAPI builds one for each parameter and answer of each route of a router that is asked. The plugin has more than five
hundred routes, half of them copies of others at ``/ajax-api``, with 1,600 validators of some 300 kinds.
"""

from collections.abc import Callable, Hashable
from typing import Any


def share_parameter_types() -> None:
    """Let FastAPI share them; before the plugin's routes are imported."""
    # Importing FastAPI takes half a second, which only the server spends.
    from fastapi._compat import v2

    v2.TypeAdapter = Shared(v2.TypeAdapter)


class Shared:
    """Gives one ``TypeAdapter`` for equal types; it holds nothing of those who use it."""

    def __init__(self, build: Callable[..., Any]) -> None:
        self._build = build
        self._built: dict[Hashable, Any] = {}

    def __call__(self, kind: Any, *, config: Any = None) -> Any:
        key = None if config else _key(kind)
        if key is None:
            return self._build(kind, config=config)
        if key not in self._built:
            self._built[key] = self._build(kind, config=config)
        return self._built[key]


def _key(kind: Any) -> Hashable | None:
    """What equal types have in common; None for one that cannot be told from others."""
    origin, metadata = getattr(kind, "__origin__", None), getattr(kind, "__metadata__", ())
    told = repr(metadata)
    # An address may be another object's by tomorrow, and functions that make a default all look alike.
    if origin is None or " at 0x" in told or "default_factory" in told:
        return None
    try:
        hash(origin)
    except TypeError:
        return None
    # Equal for Python are also True and 1, which a type may name.
    return origin, repr(origin), told
