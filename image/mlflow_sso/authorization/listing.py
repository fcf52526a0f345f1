"""Shows of a list only the rows that the caller may read, by a condition on the very statements of MLflow's stores.

So a page is a page, its token leads to the next one, the order is MLflow's, and the number of statements does not grow
with the number of rows: neither MLflow's handlers nor their answers change.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from mlflow_sso.authorization.rules import Kind

Visible = Mapping[Kind, frozenset[str]]
"""By kind, the registered models' names, or the ids of the experiments whose rows of that kind the caller may read."""

_visible: ContextVar[Visible | None] = ContextVar("visible_rows", default=None)


@contextmanager
def only(visible: Visible) -> Iterator[None]:
    """Let statements of this context see only ``visible``; all rows of kinds that it does not have."""
    token = _visible.set(visible or None)
    try:
        yield
    finally:
        _visible.reset(token)


def limit_statements(*, every_link: bool) -> None:
    """Put the conditions on every ORM statement of such a context.

    ``every_link`` tells that a data set is shown to those who may read all experiments to which it is linked, as the
    plugin of 3.17.2 has it, instead of any of them.
    """
    # sqlalchemy is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    event.listen(Session, "do_orm_execute", partial(_limit, every_link=every_link))


def _limit(state: Any, *, every_link: bool) -> None:
    visible = _visible.get()
    if visible and state.is_select and not state.is_relationship_load and not state.is_column_load:
        from sqlalchemy.orm import with_loader_criteria

        options = [
            with_loader_criteria(entity, condition, include_aliases=True)
            for kind, names in visible.items()
            for entity, condition in _conditions(kind, names, every_link=every_link)
        ]
        state.statement = state.statement.options(*options)


def _conditions(kind: Kind, names: frozenset[str], *, every_link: bool) -> Iterator[tuple[Any, Any]]:
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.store.model_registry.dbmodels import models as registry
    from mlflow.store.tracking.dbmodels import models as tracking

    match kind:
        case Kind.EXPERIMENT | Kind.SCORER:
            for entity in (tracking.SqlExperiment, tracking.SqlRun, tracking.SqlTraceInfo, tracking.SqlLoggedModel):
                yield entity, entity.experiment_id.in_(_numbers(names))
        case Kind.LOGGED_MODEL:
            yield tracking.SqlLoggedModel, tracking.SqlLoggedModel.experiment_id.in_(_numbers(names))
        case Kind.REGISTERED_MODEL:
            for entity in (registry.SqlRegisteredModel, registry.SqlModelVersion):
                yield entity, entity.name.in_(sorted(names))
        case Kind.DATASET:
            yield tracking.SqlEvaluationDataset, _datasets_of(sorted(names), every_link)
        case _:
            raise AssertionError(kind)


def _numbers(names: frozenset[str]) -> list[int]:
    return sorted(int(name) for name in names)


def _datasets_of(experiments: list[str], every_link: bool) -> Any:
    from mlflow.entities.entity_type import EntityAssociationType as Type
    from mlflow.store.tracking.dbmodels.models import SqlEntityAssociation as Association
    from mlflow.store.tracking.dbmodels.models import SqlEvaluationDataset
    from sqlalchemy import select

    linked = select(Association.source_id).where(
        Association.source_type == Type.EVALUATION_DATASET, Association.destination_type == Type.EXPERIMENT
    )
    name, readable = SqlEvaluationDataset.dataset_id, Association.destination_id.in_(experiments)
    shown = name.in_(linked.where(readable))
    return shown & name.not_in(linked.where(~readable)) if every_link else shown
