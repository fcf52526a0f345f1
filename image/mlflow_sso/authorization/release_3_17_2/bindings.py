"""Shows of what is bound to a gateway endpoint only the scorers that the caller may read.

The plugin asks for READ of the endpoint, and filters no answer. A row that no request has named has the scorer's name
(mlflow/store/tracking/sqlalchemy_store.py), which stays when the scorer is deleted.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

VIEW = "_list_gateway_endpoint_bindings"


def exclude_unreadable_bindings() -> None:
    """Change MLflow's handler, which must be imported, and not serve yet."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.server import app

    view: Callable[..., Any] = app.view_functions[VIEW]

    @wraps(view)
    def filtered(*arguments: Any, **named: Any) -> Any:
        from mlflow_oidc_auth.bridge import get_fastapi_admin_status

        answer = view(*arguments, **named)
        if answer.status_code == 200 and not get_fastapi_admin_status():
            _filter(answer)
        return answer

    app.view_functions[VIEW] = filtered


def _filter(answer: Any) -> None:
    content = json.loads(answer.get_data())
    rows = content.get("bindings", [])
    scorers = _scorers(row["resource_id"] for row in rows)
    content["bindings"] = [row for row in rows if _is_shown(row, scorers)]
    answer.set_data(json.dumps(content))


def _scorers(names: Iterable[str]) -> Mapping[str, tuple[str, str]]:
    """Experiment and name of each scorer that exists, by its id."""
    from mlflow.server.handlers import _get_tracking_store
    from mlflow.store.tracking.dbmodels.models import SqlScorer

    columns = SqlScorer.scorer_id, SqlScorer.experiment_id, SqlScorer.scorer_name
    with _get_tracking_store().ManagedSessionMaker() as session:
        found = session.query(*columns).filter(SqlScorer.scorer_id.in_(sorted(set(names))))
        return {str(number): (str(experiment), str(name)) for number, experiment, name in found}


def _is_shown(row: Mapping[str, Any], scorers: Mapping[str, tuple[str, str]]) -> bool:
    from mlflow_oidc_auth.bridge import get_fastapi_username
    from mlflow_oidc_auth.hooks.after_request import _can_read_listed_scorer, _request_grant_context

    scorer = scorers.get(row["resource_id"])
    if scorer is None:
        # Of a scorer that is gone no permission is left; a bare id is what an editor of the endpoint has named.
        return not row.get("display_name")
    return bool(_can_read_listed_scorer(_request_grant_context(get_fastapi_username()), *scorer))
