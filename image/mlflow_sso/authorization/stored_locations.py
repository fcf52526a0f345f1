"""Serves from a location that a row holds only what the caller may read there, whoever wrote the row and when.

Rows of an earlier installation may hold any location. MLflow's handlers ask of every stored location whether it lies
behind the proxy, and open every other one by the registry of artifact repositories: both ask here first, so a route
that a later release adds is judged as well.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.listing import only

Judge = Callable[[str], None]
"""Raises ``RefusedError`` unless the caller may read what lies at a location."""

_judge: ContextVar[Judge | None] = ContextVar("judge_of_stored_locations", default=None)


@contextmanager
def judged_by(judge: Judge | None) -> Iterator[None]:
    """Let ``judge`` decide about the locations that this request follows; without one, none is served."""
    token = _judge.set(judge)
    try:
        yield
    finally:
        _judge.reset(token)


def judge_stored_locations(destination: str) -> None:
    """Change MLflow's handlers and registry of this process; ``destination`` is where this server's artifacts lie."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.server import handlers
    from mlflow.store.artifact.artifact_repository_registry import ArtifactRepositoryRegistry

    is_proxied = handlers._is_servable_proxied_run_artifact_root
    open_repository = ArtifactRepositoryRegistry.get_artifact_repository

    @wraps(is_proxied)
    def judged_is_proxied(run_artifact_root: str) -> Any:
        _refuse_unreadable(run_artifact_root)
        return is_proxied(run_artifact_root)

    @wraps(open_repository)
    def judged_open(registry: Any, artifact_uri: str, *arguments: Any, **named: Any) -> Any:
        # What a request names below the destination itself is judged by the row of its route.
        if str(artifact_uri) != destination:
            _refuse_unreadable(str(artifact_uri))
        return open_repository(registry, artifact_uri, *arguments, **named)

    handlers._is_servable_proxied_run_artifact_root = judged_is_proxied
    ArtifactRepositoryRegistry.get_artifact_repository = judged_open


def _refuse_unreadable(location: str) -> None:
    """Raises MLflow's exception, from which its handlers answer 403, and GraphQL with an error."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

    judge = _judge.get()
    try:
        if judge is None:
            raise RefusedError("a stored location is served to users who have logged in only")
        with only({}):
            judge(location)
    except RefusedError as refusal:
        raise MlflowException(refusal.message, PERMISSION_DENIED) from None
