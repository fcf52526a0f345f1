"""Passes over the routers that cannot match a path, for the release that asks each of its 500 routes in turn.

mlflow-oidc-auth 11.0.2 puts 45 routers before MLflow's own application, so that every request of MLflow's API, and
``/health`` too, is compared with hundreds of patterns first: about 3 ms of processor. What the text before a route's
first parameter rules out is ruled out at once; every other path is matched by FastAPI.
"""

from collections.abc import Callable, Iterable
from typing import Any

from mlflow_sso.asgi import Scope

Matches = Callable[[Scope], tuple[Any, Any]]


def skip_routers_by_prefix(routes: Iterable[Any]) -> None:
    """Let each router among ``routes`` be asked only about paths that begin as one of its routes does.

    A router makes its routes ready when it is first asked, all of them a second; most are never asked now.
    """
    for route in routes:
        if hasattr(route, "original_router"):
            route.matches = match_prefixes(tuple(path_prefixes(route)), route.matches)


def path_prefixes(included: Any) -> set[str]:
    """What the paths begin with that an included router may match."""
    inner = included.original_router.routes
    if not all(hasattr(route, "path") for route in inner):
        return {""}
    return {beginning(included.include_context.path_for(route)) for route in inner}


def beginning(path: str) -> str:
    """The text of a route's path before its first parameter: every path that the route matches begins with it."""
    return path.partition("{")[0]


def match_prefixes(begins: tuple[str, ...], matches: Matches) -> Matches:
    """``matches``, which is not asked about a path with another beginning."""
    # starlette is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from starlette.routing import Match

    def matches_if_possible(scope: Scope) -> tuple[Any, Any]:
        # With a root path, only the router knows what of the path is left to match.
        if scope.get("root_path") or scope["path"].startswith(begins):
            return matches(scope)
        return Match.NONE, {}

    return matches_if_possible
