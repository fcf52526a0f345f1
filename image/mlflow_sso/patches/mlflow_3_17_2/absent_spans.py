"""Answers 404 for a trace whose spans were never stored, of which MLflow says that the server has failed."""

from functools import wraps
from typing import Any


def tell_absent_spans() -> None:
    """Let the exception be about what the client asked for; its class stays that which MLflow's own callers expect."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.exceptions import MlflowTracingException
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    read: Any = SqlAlchemyStore._get_spans_with_trace_info

    @wraps(read)
    def told(self: Any, trace_info: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return read(self, trace_info, *arguments, **named)
        except MlflowTracingException as error:
            if error.get_http_status_code() < 500:
                raise
            raise MlflowTracingException(
                f"the spans of {trace_info.trace_id} are not in the database", RESOURCE_DOES_NOT_EXIST
            ) from None

    SqlAlchemyStore._get_spans_with_trace_info = told
