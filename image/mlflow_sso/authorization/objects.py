"""Finds the experiments to which runs, models, traces, data sets and artifacts belong: their permission is theirs.

Asks MLflow's tracking store with one statement for each kind of object that a request names.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.matching import is_canonical
from mlflow_sso.authorization.remembering import Remembered, in_thread
from mlflow_sso.authorization.rules import Kind

EXPERIMENT_ID = re.compile(r"0|[1-9][0-9]{0,18}")
"""MLflow compares numbers: ``01`` is experiment 1, of which the plugin's grants know nothing."""
OWN_ROOT = "mlflow-artifacts:/"
ENDS = ("", "/")
FOLDERS = {"models": (Kind.LOGGED_MODEL, 1), "traces": (Kind.TRACE, 1)}
"""Below the location of an experiment, what names the object, and at which segment; of all others a run, at the first
(mlflow/store/tracking/sqlalchemy_store.py)."""

Owners = Mapping[str, tuple[str, ...]]
"""Experiments by name of the object; without those objects that do not exist."""


class Objects:
    """``session`` opens a session of the tracking store's database, as its ``ManagedSessionMaker`` does.

    ``destination`` is the location in the object store that ``OWN_ROOT`` stands for.
    """

    def __init__(
        self, session: Callable[[], Any], *, remembered: Remembered | None = None, destination: str = ""
    ) -> None:
        self._session, self._remembered = in_thread(session), remembered or Remembered()
        self._roots = (OWN_ROOT, f"{destination.rstrip('/')}/") if destination else (OWN_ROOT,)

    def experiments(self, kind: Kind, names: Iterable[str]) -> Owners:
        """The experiments that own each of ``names``; raises ``RefusedError`` if a name is none of its kind."""
        wanted = sorted(set(names))
        match kind:
            case Kind.EXPERIMENT:
                return {name: (experiment_id(name),) for name in wanted}
            case Kind.ARTIFACT:
                return {name: self._of_artifact(name) for name in wanted}
            case Kind.DATASET:
                return self._of_datasets(wanted)
            case Kind.ASSESSMENT:
                return self._of_assessments(wanted)
            case Kind.RUN | Kind.LOGGED_MODEL:
                # Their names are the server's, and they stay in their experiment.
                return self._remembered.owners(kind, wanted, lambda left: self._read(kind, left))
            case _:
                return self._read(kind, wanted)

    def _read(self, kind: Kind, wanted: list[str]) -> dict[str, tuple[str, ...]]:
        name, experiment = self._columns(kind)
        return {str(found): (str(owner),) for found, owner in self._pairs(name, experiment, name.in_(wanted))}

    def _pairs(self, name: Any, experiment: Any, *conditions: Any) -> list[tuple[Any, Any]]:
        with self._session() as session:
            return [tuple(row) for row in session.query(name, experiment).filter(*conditions)]

    @staticmethod
    def _columns(kind: Kind) -> tuple[Any, Any]:
        # Importing MLflow takes seconds, which only the server and an upgrade spend.
        from mlflow.store.tracking.dbmodels import models

        match kind:
            case Kind.EXPERIMENT_NAME:
                return models.SqlExperiment.name, models.SqlExperiment.experiment_id
            case Kind.RUN:
                return models.SqlRun.run_uuid, models.SqlRun.experiment_id
            case Kind.LOGGED_MODEL:
                return models.SqlLoggedModel.model_id, models.SqlLoggedModel.experiment_id
            case Kind.TRACE:
                return models.SqlTraceInfo.request_id, models.SqlTraceInfo.experiment_id
            case Kind.ISSUE:
                return models.SqlIssue.issue_id, models.SqlIssue.experiment_id
            case Kind.SCORER:
                return models.SqlScorer.scorer_id, models.SqlScorer.experiment_id
        raise AssertionError(kind)

    def _of_datasets(self, wanted: list[str]) -> Owners:
        from mlflow.entities.entity_type import EntityAssociationType as Type
        from mlflow.store.tracking.dbmodels.models import SqlEntityAssociation as Association
        from mlflow.store.tracking.dbmodels.models import SqlEvaluationDataset as Dataset

        with self._session() as session:
            known = [name for (name,) in session.query(Dataset.dataset_id).filter(Dataset.dataset_id.in_(wanted))]
        # One that is in no experiment exists nevertheless: it is refused, not reported as missing.
        owners: dict[str, tuple[str, ...]] = dict.fromkeys(known, ())
        source, experiment = Association.source_id, Association.destination_id
        of_experiments = Association.destination_type == Type.EXPERIMENT
        of_datasets = Association.source_type == Type.EVALUATION_DATASET
        for name, owner in self._pairs(source, experiment, of_datasets, of_experiments, source.in_(known)):
            owners[name] = (*owners[name], str(owner))
        return owners

    def _of_assessments(self, wanted: list[str]) -> Owners:
        from mlflow.store.tracking.dbmodels.models import SqlAssessments

        name, trace = SqlAssessments.assessment_id, SqlAssessments.trace_id
        traces = dict(self._pairs(name, trace, name.in_(wanted)))
        owners = self.experiments(Kind.TRACE, traces.values())
        return {found: owners[of] for found, of in traces.items() if of in owners}

    def _of_artifact(self, path: str) -> tuple[str, ...]:
        """MLflow puts everything of an experiment below its location: its number, or what its creator named.

        Of locations one below the other the innermost counts, and of experiments that share one, that of the run, model
        or trace whose folder it is.
        """
        segments = artifact_segments(path)
        if EXPERIMENT_ID.fullmatch(segments[0]):
            return (segments[0],)
        from mlflow.store.tracking.dbmodels.models import SqlExperiment

        above = {"/".join(segments[:length]): length for length in range(1, len(segments) + 1)}
        places = {
            f"{root}{place}{end}": length for place, length in above.items() for root in self._roots for end in ENDS
        }
        location, experiment = SqlExperiment.artifact_location, SqlExperiment.experiment_id
        found = [(places[at], str(owner)) for at, owner in self._pairs(location, experiment, location.in_(places))]
        innermost = max((length for length, _ in found), default=0)
        owners = tuple(sorted({owner for length, owner in found if length == innermost}))
        return owners if len(owners) < 2 else self._of_folder(segments[innermost:], owners)

    def _of_folder(self, segments: list[str], owners: tuple[str, ...]) -> tuple[str, ...]:
        kind, place = FOLDERS.get(segments[0], (Kind.RUN, 0)) if segments else (Kind.RUN, 0)
        name = segments[place] if len(segments) > place else ""
        found = self.experiments(kind, [name]).get(name, ())
        # A run of another experiment owns nothing in this folder, whatever the folder is called.
        return found if set(found) <= set(owners) and found else owners


def experiment_id(name: str) -> str:
    """``name`` if it is an experiment's number as MLflow writes it; raises ``RefusedError`` otherwise."""
    if not EXPERIMENT_ID.fullmatch(name):
        raise RefusedError(
            "an experiment id is a number without leading zeros", status=400, error_code="INVALID_PARAMETER_VALUE"
        )
    return name


def artifact_segments(path: str) -> list[str]:
    """The segments of a path below the artifact root; raises ``RefusedError`` if it could be read as another path."""
    plain = path.removesuffix("/")
    signs = any(sign in plain for sign in "#?;") or ":" in plain.split("/")[0]
    if not plain or signs or not is_canonical(f"/{plain}"):
        raise RefusedError("the path is none below its folder, or can be read as another")
    return plain.split("/")
