"""Sends attacks that once worked, and the same requests about one's own things; writes what came of them as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from application import Application, Request, basic
from digest import rows_of
from otlp import CONTENT_TYPE, root_span
from world import MLFLOW, THIRD, User, World

from mlflow_sso.releases import installed

RUNS = "{runs{data{params{value}}}}"
Attack = tuple[str, Request]


def graphql(mine: str, theirs: str) -> Iterator[Attack]:
    """Another's experiment beside one's own, in every way in which a document can name both."""
    pair = f'experimentIds:["{mine}","{theirs}"]'
    documents: Mapping[str, tuple[str, Any]] = {
        "list": (f"mutation{{mlflowSearchRuns(input:{{{pair}}}){RUNS}}}", None),
        "query": (f"{{mlflowSearchRuns(input:{{{pair}}}){RUNS}}}", None),
        "aliases": (
            f'{{a:mlflowSearchRuns(input:{{experimentIds:["{mine}"]}}){RUNS} '
            f'b:mlflowSearchRuns(input:{{experimentIds:["{theirs}"]}}){RUNS}}}',
            None,
        ),
        "variable": (
            f"query Q($d:MlflowSearchRunsInput!){{mlflowSearchRuns(input:$d){RUNS}}}",
            {"d": {"experimentIds": [mine, theirs]}},
        ),
        "default": (f"query Q($d:MlflowSearchRunsInput={{{pair}}}){{mlflowSearchRuns(input:$d){RUNS}}}", None),
        "fragment": (f"query Q{{...F}} fragment F on Query{{mlflowSearchRuns(input:{{{pair}}}){RUNS}}}", None),
    }
    for name, (query, variables) in documents.items():
        yield f"GraphQL, {name}", Request.of("POST", "/graphql", {"query": query, "variables": variables})


def spans(name: str, experiment: str, trace: str, *, run: str = "", **attributes: str) -> Attack:
    """A root span by OpenTelemetry's protocol."""
    names = {"tag": "mlflow.traceTag.mlflow.artifactLocation", "said": "mlflow.traceRequestId"}
    headers = [("x-mlflow-experiment-id", experiment), *([("x-mlflow-run-id", run)] if run else []), CONTENT_TYPE]
    body = root_span(trace, {names[key]: value for key, value in attributes.items()})
    return name, Request(method="POST", path="/v1/traces", headers=headers, body=body)


def writes(mine: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[Attack]:
    """What draws another's things into one's own, or has the server believe where they are."""
    folder = f"mlflow-artifacts:/{theirs['experiment']}"
    tag = {"key": "mlflow.artifactLocation", "value": folder}
    create = f"{MLFLOW}/experiments/create"
    yield "location", Request.of("POST", create, {"name": f"{mine['mark']}-a", "artifact_location": folder})
    yield "file", Request.of("POST", create, {"name": f"{mine['mark']}-b", "artifact_location": "file:///etc"})
    yield "tag of a trace", Request.of("PATCH", f"{THIRD}/traces/{mine['trace']}/tags", tag)
    link = {"run_id": mine["run"], "trace_ids": [theirs["trace"]]}
    yield "link", Request.of("POST", f"{MLFLOW}/traces/link-to-run", link)
    models = [{"model_id": theirs["logged_model"], "step": 1}]
    yield "outputs", Request.of("POST", f"{MLFLOW}/runs/outputs", {"run_id": mine["run"], "models": models})
    yield spans("spans of a trace", mine["experiment"], theirs["trace"])
    yield spans("spans for an experiment", theirs["experiment"], mine["trace"])
    yield spans("spans that name a trace", mine["experiment"], mine["trace"], said=theirs["trace"])
    if installed().mlflow == "3.17.2":
        yield spans("spans for a run", mine["experiment"], mine["trace"], run=theirs["run"])
        yield spans("tag by spans", mine["experiment"], mine["trace"], tag=folder)


def main() -> None:
    """Attack as bert; afterwards anna has what she had."""
    keys, application = json.loads(sys.argv[2]), Application()
    users = {name: User(name, (basic(name, keys[name]),)) for name in ("anna", "bert")}
    worlds = {name: World(application, user) for name, user in users.items()}
    mine, theirs = worlds["bert"].names, worlds["anna"].names
    before = rows_of(theirs)
    served, refused = [], []
    for name, request in (*graphql(mine["experiment"], theirs["experiment"]), *writes(mine, theirs)):
        answer = application.ask(request, *users["bert"].credentials)
        if answer.status != 403 or worlds["anna"].secret in answer.text:
            served.append([name, answer.status, answer.text[:200]])
    for name, request in (*graphql(mine["experiment"], mine["experiment"]), *writes(mine, mine)):
        answer = application.ask(request, *users["bert"].credentials)
        if answer.status != 200 and name != "file":
            refused.append([name, answer.status, answer.text[:200]])
    after = rows_of(theirs)
    print(json.dumps({"served": served, "refused": refused, "changed": [n for n in before if before[n] != after[n]]}))


if __name__ == "__main__":
    main()
