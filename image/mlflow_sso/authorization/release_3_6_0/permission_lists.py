"""Lists of the plugin's pages: what a user or a group may do with everything, from grants that are read once a request.

mlflow-oidc-auth 5.6.1 asks four sources for the permission of each experiment and model, and MLflow for each name.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mlflow_sso.authorization.release_3_6_0.permissions import PluginPermissions
from mlflow_sso.authorization.rules import Kind

_READ = "_mlflow_sso_permissions"
EXPERIMENT, MODEL = Kind.EXPERIMENT, Kind.REGISTERED_MODEL

Effective = Callable[[str, str], Any]
"""The plugin's permission, of an object and a user."""


def answer_from_all_grants(permissions: PluginPermissions) -> None:
    """Let the plugin's views ask ``permissions``; what they answer stays the same."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.views import (
        experiment,
        group_experiment,
        group_prompt,
        group_registered_model,
        prompt,
        registered_model,
        user,
    )

    of_experiment, of_model, of_prompt = (
        partial(_effective, permissions, kind, prompts)
        for kind, prompts in ((EXPERIMENT, False), (MODEL, False), (MODEL, True))
    )
    user.effective_experiment_permission = of_experiment
    user.effective_registered_model_permission = of_model
    user.effective_prompt_permission = of_prompt
    for views in (experiment, group_experiment):
        views.can_manage_experiment = partial(_can_manage, of_experiment)
    for views in (registered_model, group_registered_model, prompt, group_prompt):
        views.can_manage_registered_model = partial(_can_manage, of_model)
    for views in (user, group_experiment):
        views._get_tracking_store = partial(_KnownExperiments, views._get_tracking_store)


def _effective(permissions: PluginPermissions, kind: Kind, prompts: bool, name: str, username: str) -> Any:
    from mlflow_oidc_auth.permissions import get_permission
    from mlflow_oidc_auth.utils.types import PermissionResult

    known = _once((kind, prompts, username), lambda: permissions.found(username, kind, None, prompts=prompts))
    # What is granted, and no longer exists.
    found = known.get(str(name)) or permissions.found(username, kind, [str(name)], prompts=prompts)[str(name)]
    return PermissionResult(get_permission(found.permission), found.source)


def _can_manage(effective: Effective, name: str, username: str) -> bool:
    return bool(effective(name, username).permission.can_manage)


def _once(key: Any, read: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    # flask is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from flask import g

    if _READ not in g:
        setattr(g, _READ, {})
    kept: dict[Any, Mapping[str, Any]] = getattr(g, _READ)
    if key not in kept:
        kept[key] = read()
    return kept[key]


class _KnownExperiments:
    """The tracking store, that reads the experiments of a request together."""

    def __init__(self, store: Callable[[], Any]) -> None:
        self._store = store()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get_experiment(self, experiment_id: str) -> Any:
        """Raises MLflow's exception if there is no such experiment."""
        known = _once("experiments", self._read)
        return known.get(str(experiment_id)) or self._store.get_experiment(experiment_id)

    def _read(self) -> Mapping[str, Any]:
        from mlflow.entities import ViewType
        from mlflow_oidc_auth.utils import fetch_all_experiments

        return {found.experiment_id: found for found in fetch_all_experiments(view_type=ViewType.ALL)}
