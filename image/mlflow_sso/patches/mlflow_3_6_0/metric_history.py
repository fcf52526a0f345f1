"""Answers a metric's history whole if the request names no page size.

MLflow 3.6.0 takes the unset field for a page of no metrics, which it answers with a token that leads to the same page
again. Its own client of Python names a size; others and scripts do not. As 3.17.2, this refuses a size below 1.
"""

from typing import Any


def answer_whole_histories() -> None:
    """Ask for all metrics if no size is sent."""
    # Importing MLflow takes seconds, which only the server spends.
    from mlflow.exceptions import MlflowException
    from mlflow.protos.service_pb2 import GetMetricHistory
    from mlflow.server import handlers
    from mlflow_oidc_auth.app import app

    schema = {
        "run_id": [handlers._assert_string, handlers._assert_required],
        "metric_key": [handlers._assert_string, handlers._assert_required],
        "page_token": [handlers._assert_string],
    }

    def _get_metric_history() -> Any:
        sent = handlers._get_request_message(GetMetricHistory(), schema=schema)
        size = sent.max_results if sent.HasField("max_results") else None
        if size is not None and size < 1:
            raise MlflowException.invalid_parameter_value(f"max_results must be a positive integer, not {size}")
        store = handlers._get_tracking_store()
        page = store.get_metric_history(
            sent.run_id, sent.metric_key, max_results=size, page_token=sent.page_token or None
        )
        answer = GetMetricHistory.Response(
            metrics=[metric.to_proto() for metric in page], next_page_token=page.token or None
        )
        return handlers._wrap_response(answer)

    app.view_functions[_get_metric_history.__name__] = handlers.catch_mlflow_exception(_get_metric_history)
