"""Sends input that MLflow's handlers do not check about one's own things; writes what came of it as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from application import Application, Request, basic
from world import MLFLOW, THIRD, User, World

from mlflow_sso.releases import installed

NUL = "before\0after"


def traces(mine: Mapping[str, str]) -> Iterator[Request]:
    """Without what a handler needs, or with what it does not know."""
    trace, status = f"{MLFLOW}/traces/{mine['trace']}", {"request_id": mine["trace"]}
    yield from (Request.of("PATCH", trace, status | body) for body in ({}, {"status": "X"}, {"status": ""}))
    yield Request.of("PATCH", trace, status | {"status": "TRACE_STATUS_UNSPECIFIED"})
    for version in (MLFLOW, THIRD):
        yield Request.of("DELETE", f"{version}/traces/{mine['trace']}/tags", {})
        yield Request.of("DELETE", f"{version}/traces/{mine['trace']}/tags", {"key": ""})


def artifacts(mine: Mapping[str, str]) -> Iterator[Request]:
    """Of no version."""
    yield Request.of("GET", f"/model-versions/get-artifact?name={mine['model']}&path=x")


def with_nul(mine: Mapping[str, str]) -> Iterator[Request]:
    """Text that no database stores, in names, values, keys and queries."""
    about = {"experiment_id": mine["experiment"]}
    yield Request.of("POST", f"{MLFLOW}/experiments/create", {"name": NUL})
    yield Request.of("POST", f"{MLFLOW}/registered-models/create", {"name": NUL})
    yield Request.of("POST", f"{MLFLOW}/runs/create", about | {"run_name": NUL})
    yield Request.of("POST", f"{MLFLOW}/runs/set-tag", {"run_id": mine["run"], "key": "k", "value": NUL})
    yield Request.of("POST", f"{MLFLOW}/logged-models", about | {"name": NUL})
    yield Request.of("POST", f"{THIRD}/datasets/create", {"name": NUL, "experiment_ids": [mine["experiment"]]})
    yield Request.of("POST", f"{THIRD}/scorers/register", about | {"name": NUL, "serialized_scorer": "{}"})
    params = [{"key": NUL, "value": "1"}]
    yield Request.of("POST", f"{MLFLOW}/runs/log-batch", {"run_id": mine["run"], "params": params})
    yield Request.of("POST", f"{MLFLOW}/runs/search", {"experiment_ids": [mine["experiment"]], "filter": NUL})
    yield Request.of("GET", f"{MLFLOW}/registered-models/search?filter=name%20%3D%20%27a%00b%27")
    yield Request.of("POST", "/graphql", {"query": "{__typename}", "variables": {NUL: 1}})


OTHER_TYPES = ([], {}, [1], {"a": 1}, "x")
"""In the place of numbers."""


def of_other_types(mine: Mapping[str, str]) -> Iterator[Request]:
    """What MLflow takes ``int()`` or fields of, and what it reads a part of only."""
    run, experiment = {"run_id": mine["run"]}, {"experiment_ids": [mine["experiment"]]}
    for value in OTHER_TYPES:
        yield Request.of("POST", f"{MLFLOW}/runs/search", experiment | {"max_results": value})
        yield Request.of("POST", f"{MLFLOW}/logged-models/search", experiment | {"max_results": value})
        yield Request.of("POST", f"{THIRD}/datasets/search", experiment | {"max_results": value})
        yield Request.of("POST", f"{MLFLOW}/runs/log-metric", run | {"key": "k", "value": value, "timestamp": 1})
        yield Request.of("POST", f"{MLFLOW}/runs/log-metric", run | {"key": "k", "value": 1, "timestamp": value})
        yield Request.of("POST", f"{MLFLOW}/runs/update", run | {"end_time": value})
    for entry in ("x", 1, None, [1]):
        yield Request.of("POST", f"{MLFLOW}/runs/log-batch", run | {"params": [entry]})
    data_set = {"name": "data", **experiment}
    for unread in ({"schema": 1}, {"schema": []}, {"tags": "no JSON"}):
        yield Request.of("POST", f"{THIRD}/datasets/create", unread | data_set)
    for text in ("0", "[]", "no JSON"):
        yield Request.of("POST", f"{MLFLOW}/runs/log-model", run | {"model_json": text})
    yield Request.of("POST", f"{MLFLOW}/runs/search", {"page_token": 1} | experiment)
    yield Request.of("POST", f"{MLFLOW}/experiments/search", {"view_type": []})
    yield Request.of("POST", f"{MLFLOW}/logged-models/search", experiment | {"page_token": "x"})
    ended = {"request_id": mine["trace"], "timestamp_ms": True, "status": "OK"}
    yield Request.of("PATCH", f"{MLFLOW}/traces/{mine['trace']}", ended)


def issues(mine: Mapping[str, str]) -> Iterator[Request]:
    """Words that are none of the few, which release 3.6.0 does not have either."""
    for words in ({"status": "*"}, {"status": ""}, {"severity": "0"}):
        yield Request.of("PATCH", f"{THIRD}/issues/{mine['issue']}", words)


def scorers(mine: Mapping[str, str]) -> Iterator[Request]:
    """Texts that are no scorer, whose model release 3.17.2 reads; release 3.6.0 stores them unread."""
    body = {"experiment_id": mine["experiment"], "name": "odd"}
    nested = '{"memory_augmented_judge_data": {"base_judge": ' * 3000 + "{}" + "}}" * 3000
    odd: list[Any] = [[], 1, "x", None, {"builtin_scorer_pydantic_data": 1}]
    odd += [{"builtin_scorer_pydantic_data": {"model": model}} for model in (1, [], {"a": 1})]
    odd += [{"memory_augmented_judge_data": {"base_judge": []}}, {"third_party_scorer_data": "x"}]
    texts = ["no JSON", "[" * 100_000, nested, *map(json.dumps, odd)]
    for text in texts:
        yield Request.of("POST", f"{THIRD}/scorers/register", body | {"serialized_scorer": text})


def metrics_of_traces(mine: Mapping[str, str]) -> Iterator[Request]:
    """Which release 3.6.0 does not have."""
    body = {"experiment_ids": [mine["experiment"]], "view_type": "TRACES", "metric_name": "latency"}
    for percentile in (-1, 101, "x", [], None):
        aggregations = [{"aggregation_type": "PERCENTILE", "percentile_value": percentile}]
        yield Request.of("POST", f"{THIRD}/traces/metrics", body | {"aggregations": aggregations})


def main() -> None:
    """As anna."""
    anna, application = User("anna", (basic("anna", json.loads(sys.argv[2])["anna"]),)), Application()
    mine = World(application, anna).names
    wrong, told = list[Any](), list[Any]()
    newer = (*metrics_of_traces(mine), *issues(mine), *scorers(mine)) if installed().mlflow == "3.17.2" else ()
    for request in (*traces(mine), *artifacts(mine), *with_nul(mine), *of_other_types(mine), *newer):
        answer = application.ask(request, *anna.credentials)
        if answer.status != 400 or "message" not in answer.text:
            wrong.append([request.method, request.path, request.body.decode(), answer.status, answer.text[:200]])
    fraction = {"run_id": mine["run"], "key": "k", "value": 1, "timestamp": 1.5, "step": 1}
    refused = application.ask(Request.of("POST", f"{MLFLOW}/runs/log-metric", fraction), *anna.credentials)
    # Clients that end a trace, and text in which a backslash is escaped, are served as before.
    body = {"request_id": mine["trace"], "timestamp_ms": 2, "status": "OK"}
    told.append(application.ask(Request.of("PATCH", f"{MLFLOW}/traces/{mine['trace']}", body), *anna.credentials))
    tag = {"run_id": mine["run"], "key": "k", "value": "\\u0000"}
    told.append(application.ask(Request.of("POST", f"{MLFLOW}/runs/set-tag", tag), *anna.credentials))
    spans = application.ask(Request.of("GET", f"{THIRD}/traces/batchGet?trace_ids={mine['trace']}"), *anna.credentials)
    served = [answer.status for answer in told]
    print(json.dumps({"wrong": wrong, "served": served, "spans": spans.status, "fraction": refused.text}))


if __name__ == "__main__":
    main()
