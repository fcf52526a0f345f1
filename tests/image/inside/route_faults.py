"""How mlflow-oidc-auth 11.0.2 passes a request on and builds its routes, as ``faults_3_17_2.py`` has it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any


def direct_passing(ask: Callable[..., int]) -> dict[str, Any]:
    """The tasks in which middlewares run what is inside, for one request; the fourth one looks at answers."""
    from starlette.middleware import base

    create, created = base.create_collapsing_task_group, []

    def counted() -> Any:
        created.append(1)
        return create()

    base.create_collapsing_task_group = counted
    ask("GET", "/api/2.0/mlflow/experiments/search?max_results=1")
    base.create_collapsing_task_group = create
    return {"tasks": len(created)}


def late_routes(_: Callable[..., int]) -> dict[str, Any]:
    """Whether routes are worked out when they are defined, although the routers that include them do it again."""
    from mlflow_oidc_auth.app import app

    routes = [vars(route) for route in _leaves(app.router.routes) if "endpoint" in vars(route)]
    return {"at once": len([route for route in routes if "dependant" in route]) > 500}


def mcp_reads(_: Callable[..., int]) -> dict[str, Any]:
    """Whether a member without a grant may read a server, although the default permission says no."""
    from mlflow_oidc_auth.config import config
    from mlflow_oidc_auth.middleware import mcp_server_registry
    from mlflow_oidc_auth.utils.permissions import can_read_mcp_server

    before, config.DEFAULT_MLFLOW_PERMISSION = config.DEFAULT_MLFLOW_PERMISSION, "NO_PERMISSIONS"
    name, user = "io.github/unknown", "anna"
    found = {"read": mcp_server_registry._may_read(name, user), "granted": can_read_mcp_server(name, user)}
    config.DEFAULT_MLFLOW_PERMISSION = before
    return found


def parameter_types(_: Callable[..., int]) -> dict[str, Any]:
    """Whether the parameters of routes have a validator each, but for a few that FastAPI itself shares."""
    from mlflow_oidc_auth.app import app

    dependants = [route.dependant for route in _leaves(app.router.routes) if hasattr(route, "dependant")]
    adapters = [id(field._type_adapter) for one in dependants for field in (*one.query_params, *one.path_params)]
    return {"one each": len(set(adapters)) > 0.9 * len(adapters) > 500}


def route_index(ask: Callable[..., int]) -> dict[str, Any]:
    """The routers that are asked before MLflow's own application gets a request of its API."""
    from mlflow_oidc_auth.app import app

    routers = [route for route in app.router.routes if hasattr(route, "original_router")]
    asked: list[Any] = []

    def counting(route: Any, matches: Any) -> Any:
        return lambda scope: asked.append(route) or matches(scope)

    for route in routers:
        route.matches = counting(route, route.matches)
    ask("GET", "/api/2.0/mlflow/runs/get?run_id=1")
    return {"every router": len(asked) == len(routers) > 40}


def _leaves(routes: Iterable[Any]) -> Iterator[Any]:
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from [route] if router is None else _leaves(router.routes)
