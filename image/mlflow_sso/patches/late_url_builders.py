"""Compiles what builds a route's URL when one is built, which few routes ever are.

werkzeug writes, parses and compiles two functions for each of MLflow's 400 routes at the start (werkzeug/routing/
rules.py, ``Rule.compile``), a twentieth of what a worker takes to start; the pages and clients build URLs themselves.
"""

from collections.abc import Callable
from functools import cache
from typing import Any


def build_urls_late() -> None:
    """Before MLflow's Flask application is imported."""
    # Importing it takes a tenth of a second, which only the server spends.
    from werkzeug.routing.rules import Rule

    compile_now = Rule._compile_builder

    def compile_late(rule: Any, append_unknown: bool = True) -> Callable[..., Any]:
        @cache
        def builder() -> Callable[..., Any]:
            compiled: Callable[..., Any] = compile_now(rule, append_unknown)
            return compiled

        # The rule makes it a method of its own.
        return lambda bound, /, **values: builder()(bound, **values)

    Rule._compile_builder = compile_late
