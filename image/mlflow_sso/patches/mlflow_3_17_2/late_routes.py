"""Looks through a route's function when the route is used, not when it is defined.

FastAPI works out parameters, validators and answers of each route when the plugin's routers are imported, and again
for the application that includes them, when it is first asked about a path of the router. mlflow-oidc-auth 11.0.2
defines 525 routes, half of them copies of others; only what includes them is ever used. That was an eighth of what a
worker takes to start, and 6 MB.
"""

import inspect
from collections.abc import Callable
from threading import RLock
from typing import Any

WORKED_OUT = frozenset(
    {
        "path_regex",
        "path_format",
        "param_convertors",
        "unique_id",
        "dependant",
        "_embed_body_fields",
        "body_field",
        "is_sse_stream",
        "is_json_stream",
        "response_model",
        "response_field",
        "response_fields",
        "stream_item_type",
        "stream_item_field",
        "app",
    }
)
"""What a route has only when it is used; what else it has, copies of it and routers that include it read."""


def work_out_routes_late() -> None:
    """Before the plugin's routers are imported."""
    # Importing FastAPI takes half a second, which only the server spends.
    from fastapi import routing

    kind: Any = routing.APIRoute
    define = kind.__init__
    options = inspect.signature(define).parameters.values()
    defaults = {one.name: one.default for one in options if one.kind is inspect.Parameter.KEYWORD_ONLY}
    lock = RLock()

    def begin(route: Any, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        vars(route).update(_as_given(path, endpoint, {**defaults, **given}))
        vars(route)["_begun"] = (path, endpoint, given)

    def complete(route: Any, name: str) -> Any:
        if name not in WORKED_OUT:
            raise AttributeError(f"{type(route).__name__!r} object has no attribute {name!r}", name=name, obj=route)
        # Another thread, which finds only a part of it meanwhile, waits here for the rest.
        with lock:
            begun = vars(route).pop("_begun", None)
            if begun:
                path, endpoint, given = begun
                define(route, path, endpoint, **given)
        try:
            return vars(route)[name]
        except KeyError:
            raise AttributeError(name, name=name, obj=route) from None

    kind.__init__ = begin
    kind.__getattr__ = complete


def _as_given(path: str, endpoint: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    """Attributes of a route that follow from its arguments without a look at its function, as FastAPI has them."""
    from fastapi import routing
    from fastapi.datastructures import DefaultPlaceholder

    known = {name: value for name, value in options.items() if name not in WORKED_OUT}
    if not isinstance(options["response_model"], DefaultPlaceholder):
        # Else both follow from what the function says that it returns.
        known |= {"response_model": options["response_model"], "stream_item_type": None}
    status = options["status_code"]
    return known | {
        "path": path,
        "endpoint": endpoint,
        "form_limits": options["form_limits"] or {},
        "status_code": None if status is None else int(status),
        "tags": options["tags"] or [],
        "responses": options["responses"] or {},
        "name": options["name"] or routing.get_name(endpoint),
        "methods": {method.upper() for method in options["methods"] or ["GET"]},
        "dependencies": list(options["dependencies"] or []),
        "description": _description(endpoint, options["description"]),
    }


def _description(endpoint: Callable[..., Any], given: str | None) -> str:
    return (given or inspect.cleandoc(endpoint.__doc__ or "")).split("\f")[0].strip()
