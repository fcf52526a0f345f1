"""Reads together what one request asks for many times: grants, the names of experiments, which models are prompts.

mlflow-oidc-auth 11.0.2 reads the grants of one experiment at a time when a request names several, and the name of every
experiment that it compares with patterns, and each registered model that it judges.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

FEW = 2
"""Objects of one request that are read one by one, since all of a kind may be many."""

_of_request: ContextVar[tuple[Any, dict[str, Any]] | None] = ContextVar("read_for_request", default=None)
"""What was read for a request, and the plugin's own object that is another one for each request."""


def read_grants_together() -> None:
    """Change the plugin's reads of many objects for one request; what they return stays the same."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.routers import group_permissions
    from mlflow_oidc_auth.utils import permissions, prompt_kind
    from mlflow_oidc_auth.utils.grant_context import GrantContext

    permissions.load_grant_context = _load
    GrantContext.experiment_name = _experiment_name
    prompt_kind.is_prompt = partial(_is_prompt, prompt_kind.is_prompt)
    group_permissions._get_tracking_store = partial(_ManyExperiments, group_permissions._get_tracking_store)


def _load(username: str) -> Any:
    from mlflow_oidc_auth.utils.grant_context import load_grant_context

    if _is_few("grants"):
        return load_grant_context(username)
    return _once(f"grants of {username}", lambda: load_grant_context(username, bulk=True))


def _experiment_name(context: Any, experiment_id: str) -> str:
    """In place of ``GrantContext.experiment_name``; raises MLflow's exception if there is no such experiment."""
    from mlflow_oidc_auth.utils import permissions

    number = str(experiment_id)
    name = context.experiment_hint(number)[0]
    if name is None and context.bulk and not _is_few("names"):
        name = _once("names", _all_names).get(number)
    return str(name if name is not None else permissions._get_tracking_store().get_experiment(number).name)


def _is_prompt(ask: Callable[[str], bool], name: str) -> bool:
    return ask(name) if _is_few("kinds") else name in _once("prompts", _all_prompts)


class _ManyExperiments:
    """MLflow's tracking store, for a view that wants the name of each experiment of a list."""

    def __init__(self, store: Callable[[], Any]) -> None:
        self._store = store()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get_experiment(self, experiment_id: str) -> Any:
        """Raises MLflow's exception if there is no such experiment."""
        known = {} if _is_few("experiments") else _once("experiments", self._read)
        return known.get(str(experiment_id)) or self._store.get_experiment(experiment_id)

    @staticmethod
    def _read() -> dict[str, Any]:
        from mlflow.entities import ViewType
        from mlflow_oidc_auth.utils.data_fetching import fetch_all_experiments

        return {str(found.experiment_id): found for found in fetch_all_experiments(view_type=ViewType.ALL)}


def _all_names() -> dict[str, str]:
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.server.handlers import _get_tracking_store
    from mlflow.store.tracking.dbmodels.models import SqlExperiment

    with _get_tracking_store().ManagedSessionMaker() as session:
        return {str(n): name for n, name in session.query(SqlExperiment.experiment_id, SqlExperiment.name)}


def _all_prompts() -> frozenset[str]:
    from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
    from mlflow.server.handlers import _get_model_registry_store
    from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModelTag as Tag

    with _get_model_registry_store().ManagedSessionMaker() as session:
        tags = session.query(Tag.name, Tag.value).filter(Tag.key == IS_PROMPT_TAG_KEY)
        return frozenset(name for name, value in tags if str(value).lower() == "true")


def _is_few(what: str) -> bool:
    """Whether the request has asked for ``what`` a few times only; outside of requests it always has."""
    read = _read_for_request()
    if read is None:
        return True
    read[f"count of {what}"] = count = read.get(f"count of {what}", 0) + 1
    return bool(count <= FEW)


def _once(what: str, read: Callable[[], Any]) -> Any:
    kept = _read_for_request()
    if kept is None:
        return read()
    if what not in kept:
        kept[what] = read()
    return kept[what]


def _read_for_request() -> dict[str, Any] | None:
    """As the plugin keeps it (utils/prompt_kind.py): with Flask's request, else with the login's object."""
    from flask import g, has_request_context
    from mlflow_oidc_auth.bridge.user import _auth_context_var

    if has_request_context():
        if "_mlflow_sso_read" not in g:
            g._mlflow_sso_read = {}
        found: dict[str, Any] = g._mlflow_sso_read
        return found
    owner, held = _auth_context_var.get(), _of_request.get()
    if owner is None:
        return None
    if held is None or held[0] is not owner:
        held = (owner, {})
        _of_request.set(held)
    return held[1]
