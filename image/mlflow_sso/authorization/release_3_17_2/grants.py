"""The plugin's permissions of experiments, which what they hold inherits, and of registered models."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mlflow_sso.authorization.decision import DIRECT
from mlflow_sso.authorization.release_3_17_2 import gateway_grants
from mlflow_sso.authorization.rules import Kind, Level

KINDS = DIRECT | {Kind.GATEWAY_ENDPOINT, Kind.SCORER_MODEL}
"""Those of which ``PluginPermissions`` knows the levels."""


class PluginPermissions:
    """Asks mlflow-oidc-auth 11.0.2 as its own checks do; ``tracking`` and ``registry`` open MLflow's sessions."""

    def __init__(self, *, tracking: Callable[[], Any], registry: Callable[[], Any]) -> None:
        self._tracking, self._registry = tracking, registry

    def levels(self, username: str, kind: Kind, names: Iterable[str]) -> Mapping[str, Level]:
        """The level that ``username`` has of each of ``names``."""
        # The plugin reads its settings when it is imported, so not before serve has set them.
        from mlflow_oidc_auth.utils import effective_experiment_permission
        from mlflow_oidc_auth.utils.permissions import effective_gateway_endpoint_permission
        from mlflow_oidc_auth.utils.prompt_kind import effective_registry_permission

        if kind in (Kind.GATEWAY_ENDPOINT, Kind.SCORER_MODEL):
            endpoints = gateway_grants.endpoints_of(kind, names, self._tracking)
            return {
                name: min(
                    (level_of(effective_gateway_endpoint_permission(one, username).permission) for one in several),
                    default=Level.MANAGE,
                )
                for name, several in endpoints.items()
            }
        ask = effective_registry_permission if kind is Kind.REGISTERED_MODEL else effective_experiment_permission
        return {name: level_of(ask(name, username).permission) for name in names}

    def readable(self, username: str, kind: Kind) -> frozenset[str]:
        """Everything of ``kind`` that ``username`` may read, in a constant number of statements."""
        from mlflow_oidc_auth.utils.grant_context import (
            EXPERIMENT,
            PROMPT,
            REGISTERED_MODEL,
            load_grant_context,
            resolve,
        )

        grants = load_grant_context(username, bulk=True)
        # Prompts share the grants of registered models.
        resources = (REGISTERED_MODEL, PROMPT) if kind is Kind.REGISTERED_MODEL else (EXPERIMENT,)
        if all(_only_direct(grants, resource) for resource in resources):
            return _readable_directly(grants, resources[0])
        rows = self._models() if kind is Kind.REGISTERED_MODEL else self._experiments()
        return frozenset(
            name for name, resource, text in rows if resolve(grants, resource, name, name=text).permission.can_read
        )

    def _experiments(self) -> Iterator[tuple[str, str, str | None]]:
        from mlflow.store.tracking.dbmodels.models import SqlExperiment
        from mlflow_oidc_auth.utils.grant_context import EXPERIMENT

        with self._tracking() as session:
            for number, name in session.query(SqlExperiment.experiment_id, SqlExperiment.name):
                yield str(number), EXPERIMENT, name

    def _models(self) -> Iterator[tuple[str, str, None]]:
        from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
        from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModel as Model
        from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModelTag as Tag
        from mlflow_oidc_auth.utils.grant_context import PROMPT, REGISTERED_MODEL

        with self._registry() as session:
            names = [name for (name,) in session.query(Model.name)]
            tags = session.query(Tag.name, Tag.value).filter(Tag.key == IS_PROMPT_TAG_KEY)
            prompts = {name for name, value in tags if str(value).lower() == "true"}
        yield from ((name, PROMPT if name in prompts else REGISTERED_MODEL, None) for name in names)


def _only_direct(grants: Any, resource: str) -> bool:
    """Whether nothing is readable but what a grant names."""
    from mlflow_oidc_auth.config import config
    from mlflow_oidc_auth.permissions import get_permission

    patterns = grants.patterns(resource)
    open_to_all = config.MLFLOW_ENABLE_WORKSPACES or get_permission(config.DEFAULT_MLFLOW_PERMISSION).can_read
    return not (open_to_all or patterns.regex or patterns.group_regex or not grants.names_in_memory())


def _readable_directly(grants: Any, resource: str) -> frozenset[str]:
    """What is readable where nothing but grants decides: all that have equal ones are, or none of them."""
    from mlflow_oidc_auth.utils.grant_context import resolve

    direct = grants.direct(resource)
    by_grants: dict[tuple[str | None, str | None], list[str]] = {}
    for name in {*direct.user, *direct.group}:
        by_grants.setdefault((direct.user.get(name), direct.group.get(name)), []).append(name)
    return frozenset(
        name
        for names in by_grants.values()
        if resolve(grants, resource, names[0], name=None).permission.can_read
        for name in names
    )


def level_of(permission: object) -> Level:
    """The level of the plugin's permission; one that it does not name like ours is none."""
    name = getattr(permission, "name", "")
    return Level[name] if name in Level.__members__ else Level.NONE
