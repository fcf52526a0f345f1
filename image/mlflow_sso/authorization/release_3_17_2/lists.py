"""Lists of which ``serve`` excludes rows in MLflow's own statements, in place of the plugin's filter of the answers.

The plugin takes page after page from MLflow until enough readable rows are found, and asks for the registered model of
every version and for the links of every data set.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from mlflow_sso.authorization.listing import Visible, limit_statements, only

SEARCHES = frozenset(
    {
        "_search_experiments",
        "_search_registered_models",
        "_search_model_versions",
        "_search_logged_models",
        "_search_evaluation_datasets_handler",
    }
)
"""MLflow's handlers (mlflow/server/handlers.py), whose answers need no other filter."""
SCORERS = "_list_scorers"
"""Of its answer, the plugin excludes scorers that have a grant of their own."""

_visible: ContextVar[Visible] = ContextVar("visible_to_handlers")


@contextmanager
def visible_to_handlers(visible: Visible) -> Iterator[None]:
    """Let MLflow's handlers see only ``visible``, and the plugin's checks before them everything."""
    token = _visible.set(visible)
    try:
        yield
    finally:
        _visible.reset(token)


def exclude_rows_in_statements() -> None:
    """Change MLflow's handlers and switch the plugin's filters off; both must be imported, and not serve yet."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow.server import app
    from mlflow_oidc_auth.hooks import after_request

    limit_statements(every_link=True)
    for name in (*SEARCHES, SCORERS):
        app.view_functions[name] = _limited(app.view_functions[name])
    filters = {
        after_request._filter_search_experiments,
        after_request._filter_search_registered_models,
        after_request._filter_search_model_versions,
        after_request._filter_search_logged_models,
        after_request._filter_search_evaluation_datasets,
    }
    for key, handler in list(after_request.AFTER_REQUEST_HANDLERS.items()):
        if handler in filters:
            # Without a handler of such a name, the plugin refuses what it has no check of.
            after_request.AFTER_REQUEST_HANDLERS[key] = _filter_nothing


def _filter_nothing(_answer: Any) -> None:
    """What a filter does whose rows are excluded already."""


def _limited(view: Callable[..., Any]) -> Callable[..., Any]:
    from mlflow_oidc_auth.bridge import get_fastapi_admin_status

    @wraps(view)
    def limited(*arguments: Any, **named: Any) -> Any:
        visible = _visible.get({})
        if not visible and not get_fastapi_admin_status():
            raise AssertionError("a list is asked for, and it is not decided what it may show")
        with only(visible):
            return view(*arguments, **named)

    return limited
