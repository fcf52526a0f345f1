"""What MLflow 3.17.2 does with traces where a patch of ours changes it, as ``faults_3_17_2.py`` has it."""

from collections.abc import Callable
from typing import Any


def absent_spans(ask: Callable[..., int]) -> dict[str, Any]:
    """The status for a trace without spans."""
    from mlflow.server.handlers import _get_tracking_store

    experiment = _get_tracking_store().create_experiment("traces")
    info = {"trace_id": f"tr-{'1' * 32}", "request_time": "2026-01-01T00:00:00Z", "state": "OK"}
    info |= {"trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}}
    assert ask("POST", "/api/3.0/mlflow/traces", {"trace": {"trace_info": info}}) == 200
    return {"status": ask("GET", f"/api/3.0/mlflow/traces/get?trace_id={info['trace_id']}")}
