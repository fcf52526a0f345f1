"""Counts the statements of requests with an access key, and those of the very same calls of MLflow's store; as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from application import Application, Request, basic
from statements import Statements
from world import MLFLOW

METRICS = [{"key": f"m{number}", "value": 1.5, "timestamp": 1, "step": 1} for number in range(10)]
USER = "anna"


def calls(run: str, experiment: str) -> Iterator[tuple[str, Request, Callable[[], Any]]]:
    """Each request, and what MLflow does for it."""
    from mlflow.entities import Metric
    from mlflow.server.handlers import _get_tracking_store

    store = _get_tracking_store()
    metrics = [Metric(**metric) for metric in METRICS]
    body = {"run_id": run, "metrics": METRICS}
    yield (
        "log-batch",
        Request.of("POST", f"{MLFLOW}/runs/log-batch", body),
        lambda: store.log_batch(run, metrics, [], []),
    )
    search = {"experiment_ids": [experiment], "max_results": 50}
    yield (
        "search",
        Request.of("POST", f"{MLFLOW}/runs/search", search),
        lambda: store.search_runs([experiment], "", 1, max_results=50),
    )
    yield "get", Request.of("GET", f"{MLFLOW}/runs/get?run_id={run}"), lambda: store.get_run(run)
    history = f"{MLFLOW}/metrics/get-history?run_id={run}&metric_key=m1"
    yield "history", Request.of("GET", history), lambda: store.get_metric_history(run, "m1")


def main() -> None:
    """Ask each request until nothing is new to the process, and once more after a change of grants."""
    keys, application, statements = json.loads(sys.argv[2]), Application(), Statements()
    credentials = basic(USER, keys[USER])
    created = application.ask(Request.of("POST", f"{MLFLOW}/experiments/create", {"name": "counted"}), credentials)
    experiment = created.json()["experiment_id"]
    body = {"experiment_id": experiment, "start_time": 1}
    run = application.ask(Request.of("POST", f"{MLFLOW}/runs/create", body), credentials).json()
    counts = {}
    for name, request, call in calls(run["run"]["info"]["run_id"], experiment):
        for _ in range(3):
            answer = application.ask(request, credentials)
            call()
        line = {"status": answer.status}
        with statements.counting() as sent:
            call()
        line["plain"] = len(sent)
        with statements.counting() as sent:
            application.ask(request, credentials)
        line["remembered"] = len(sent)
        change_grants()
        with statements.counting() as sent:
            application.ask(request, credentials)
        line["changed"] = len(sent)
        counts[name] = line
    print(json.dumps(counts))


def change_grants() -> None:
    """As an administrator of another replica does."""
    from mlflow_oidc_auth.store import store
    from sqlalchemy import text

    with store.engine.begin() as connection:
        connection.execute(text("UPDATE users SET display_name = display_name || '.' WHERE username LIKE 'bert%'"))


if __name__ == "__main__":
    main()
