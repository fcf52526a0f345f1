"""Shows of a list only the rows that the caller may read, by a condition on the very statements of MLflow's stores.

So a page is a page, its token leads to the next one, the order is MLflow's, and the number of statements does not grow
with the number of rows: neither MLflow's handlers nor their answers change.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

from mlflow_sso.authorization.rules import Kind

Visible = Mapping[Kind, frozenset[str]]
"""By kind, the registered models' names, or the ids of the experiments whose rows of that kind the caller may read."""


@dataclass(slots=True)
class _Shown:
    """What is visible, and the conditions of it once a statement has needed them."""

    visible: Visible
    options: list[Any] | None = None


_current: ContextVar[_Shown | None] = ContextVar("visible_rows", default=None)


@contextmanager
def only(visible: Visible) -> Iterator[None]:
    """Let statements of this context see only ``visible``; all rows of kinds that it does not have."""
    token = _current.set(_Shown(visible) if visible else None)
    try:
        yield
    finally:
        _current.reset(token)


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
    shown = _current.get()
    if shown and state.is_select and not state.is_relationship_load and not state.is_column_load:
        from sqlalchemy.orm import with_loader_criteria

        # Once for all statements of a request, for each of which thousands of names would be gone through again.
        shown.options = shown.options or [
            with_loader_criteria(entity, condition, include_aliases=True)
            for kind, names in shown.visible.items()
            for entity, condition in _conditions(kind, names, every_link=every_link)
        ]
        state.statement = state.statement.options(*shown.options)


def _conditions(kind: Kind, names: frozenset[str], *, every_link: bool) -> Iterator[tuple[Any, Any]]:
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.store.model_registry.dbmodels import models as registry
    from mlflow.store.tracking.dbmodels import models as tracking
    from sqlalchemy import any_

    match kind:
        case Kind.EXPERIMENT | Kind.SCORER:
            readable = any_(_numbers(names))
            for entity in (tracking.SqlExperiment, tracking.SqlRun, tracking.SqlTraceInfo, tracking.SqlLoggedModel):
                yield entity, entity.experiment_id == readable
        case Kind.LOGGED_MODEL:
            yield tracking.SqlLoggedModel, tracking.SqlLoggedModel.experiment_id == any_(_numbers(names))
        case Kind.REGISTERED_MODEL:
            readable = any_(_texts(names))
            for entity in (registry.SqlRegisteredModel, registry.SqlModelVersion):
                yield entity, entity.name == readable
        case Kind.DATASET:
            yield tracking.SqlEvaluationDataset, _datasets_of(names, every_link)
        case _:
            raise AssertionError(kind)


def _numbers(names: frozenset[str]) -> Any:
    from sqlalchemy import Integer

    return _array(Integer, (str(int(name)) for name in names))


def _texts(names: frozenset[str]) -> Any:
    from sqlalchemy import Text

    return _array(Text, names)


def _array(kind: Any, elements: Iterable[str]) -> Any:
    """An array of PostgreSQL as one text, which costs the same whatever its length.

    Thousands of parameters are written one by one into each statement by SQLAlchemy, and parsed by PostgreSQL.
    """
    from sqlalchemy import Text, cast, literal
    from sqlalchemy.dialects.postgresql import ARRAY

    # Within quotes all other letters, and the word NULL, are themselves (PostgreSQL's manual, "Array Input").
    escaped = (element.replace("\\", "\\\\").replace('"', '\\"') for element in elements)
    return cast(literal("{" + ",".join(f'"{element}"' for element in escaped) + "}", Text), ARRAY(kind))


def _datasets_of(experiments: frozenset[str], every_link: bool) -> Any:
    from mlflow.entities.entity_type import EntityAssociationType as Type
    from mlflow.store.tracking.dbmodels.models import SqlEntityAssociation as Association
    from mlflow.store.tracking.dbmodels.models import SqlEvaluationDataset
    from sqlalchemy import all_, any_, select

    linked = select(Association.source_id).where(
        Association.source_type == Type.EVALUATION_DATASET, Association.destination_type == Type.EXPERIMENT
    )
    name, experiment, readable = SqlEvaluationDataset.dataset_id, Association.destination_id, _texts(experiments)
    shown = name.in_(linked.where(experiment == any_(readable)))
    hidden = linked.where(experiment != all_(readable))
    return shown & name.not_in(hidden) if every_link else shown
