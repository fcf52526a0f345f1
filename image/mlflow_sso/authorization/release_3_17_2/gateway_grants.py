"""Finds the gateway endpoints that references lead to, by the names under which the plugin keeps their grants."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlflow_sso.authorization.references import StoredScorer, gateway_models
from mlflow_sso.authorization.rules import Kind


def endpoints_of(kind: Kind, names: Iterable[str], session: Callable[[], Any]) -> Mapping[str, frozenset[str]]:
    """The endpoints of each of ``names``, which are endpoints' or, of ``SCORER_MODEL``, stored scorers' keys.

    ``session`` opens a session of the tracking store's database.
    """
    with session() as opened:
        if kind is Kind.GATEWAY_ENDPOINT:
            return _named(opened, {name: [name] for name in names})
        return _named(opened, {key: _models(opened, StoredScorer.of_key(key)) for key in names})


def _models(session: Any, scorer: StoredScorer) -> list[str]:
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.store.tracking.dbmodels.models import SqlScorer, SqlScorerVersion

    version, condition = SqlScorerVersion.scorer_version, []
    if scorer.version is not None:
        condition.append(version == scorer.version)
    rows = (
        session.query(SqlScorerVersion.serialized_scorer)
        .join(SqlScorer, SqlScorer.scorer_id == SqlScorerVersion.scorer_id)
        .filter(SqlScorer.experiment_id == int(scorer.experiment), SqlScorer.scorer_name == scorer.name, *condition)
    )
    return [model for (stored,) in rows for model in gateway_models(stored)]


def _named(session: Any, models: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """MLflow stores an endpoint's id in place of its name; what is neither counts as a name without grants."""
    from mlflow.store.tracking.dbmodels.models import SqlGatewayEndpoint as Endpoint
    from sqlalchemy import or_

    wanted = sorted({model for several in models.values() for model in several})
    if not wanted:
        return dict.fromkeys(models, frozenset())
    known = or_(Endpoint.endpoint_id.in_(wanted), Endpoint.name.in_(wanted))
    found: dict[str, set[str]] = {}
    for number, name in session.query(Endpoint.endpoint_id, Endpoint.name).filter(known):
        for model in (number, name):
            found.setdefault(model, set()).add(name)
    return {key: frozenset(name for model in several for name in found.get(model, {model}))
            for key, several in models.items()}  # fmt: skip
