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


def parameter_types(_: Callable[..., int]) -> dict[str, Any]:
    """Whether the parameters of routes have a validator each, but for a few that FastAPI itself shares."""
    from mlflow_oidc_auth.app import app

    dependants = [route.dependant for route in _leaves(app.router.routes) if hasattr(route, "dependant")]
    adapters = [id(field._type_adapter) for one in dependants for field in (*one.query_params, *one.path_params)]
    return {"one each": len(set(adapters)) > 0.9 * len(adapters) > 500}


def _leaves(routes: Iterable[Any]) -> Iterator[Any]:
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from [route] if router is None else _leaves(router.routes)
