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
PARTS = "/api/2.0/mlflow-artifacts/mpu"
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


def uploads(mine: Mapping[str, str], theirs: Mapping[str, str], upload: str) -> Iterator[Attack]:
    """Parts of another's upload, another's path, and paths and numbers that no client sends."""
    part = [{"part_number": 1, "etag": "x"}]
    for step in ("complete", "abort"):
        body = {"path": "x.bin", "upload_id": upload, "parts": part}
        yield f"{step} at another's path", Request.of("POST", f"{PARTS}/{step}/{theirs['folder']}", body)
        yield f"{step} another's at one's own", Request.of("POST", f"{PARTS}/{step}/{mine['folder']}", body)
    for name, folder, path, count in (
        ("another's folder", theirs["folder"], "x.bin", 1),
        ("upwards", mine["folder"], "..", 1),
        ("a folder", mine["folder"], "x/", 1),
        ("many parts", mine["folder"], "x.bin", 10_001),
        ("no parts", mine["folder"], "x.bin", -1),
    ):
        yield name, Request.of("POST", f"{PARTS}/create/{folder}", {"path": path, "num_parts": count})
    path = f"{mine['experiment']}/../{theirs['folder']}"
    yield "through another folder", Request.of("POST", f"{PARTS}/create/{path}", {"path": "x.bin", "num_parts": 1})


def attack_uploads(application: Application, users: Mapping[str, User], worlds: Mapping[str, World]) -> list[Any]:
    """What was served as bert of anna's upload, and whether she can still end it."""
    mine, theirs = worlds["bert"].names, worlds["anna"].names
    begin = Request.of("POST", f"{PARTS}/create/{theirs['folder']}", {"path": "x.bin", "num_parts": 2})
    begun = application.ask(begin, *users["anna"].credentials)
    upload = begun.json()["upload_id"]
    served = [
        [name, answer.status, answer.text[:200]]
        for name, request in uploads(mine, theirs, upload)
        for answer in [application.ask(request, *users["bert"].credentials)]
        # S3 may answer that an upload that does not exist is aborted.
        if not (400 <= answer.status < 500 or "abort another's at" in name)
    ]
    return [*served, *([] if upload in open_uploads(f"{theirs['folder']}/x.bin") else ["her upload has ended"])]


def open_uploads(key: str) -> set[str]:
    """Ids of the uploads in parts of an object."""
    from mlflow.server.handlers import _get_artifact_repo_mlflow_artifacts

    repository = _get_artifact_repo_mlflow_artifacts()
    bucket, _ = repository.parse_s3_compliant_uri(repository.artifact_uri)
    found = repository._get_s3_client().list_multipart_uploads(Bucket=bucket, Prefix=key)
    return {upload["UploadId"] for upload in found.get("Uploads", ())}


def shown_versions(application: Application, users: Mapping[str, User], worlds: Mapping[str, World]) -> list[Any]:
    """What GraphQL shows of a model's versions to who may read only the experiment of their run, in each way to ask."""
    theirs = worlds["anna"]
    theirs.grant_experiment(users["bert"], "READ")
    fields = "experiment{name} modelVersions{name description source}"
    documents = (
        f'{{mlflowGetRun(input:{{runId:"{theirs.names["run"]}"}}){{run{{{fields}}}}}}}',
        f'{{a:mlflowGetRun(input:{{runId:"{theirs.names["run"]}"}}){{...F}}}} '
        "fragment F on MlflowGetRunResponse{r:run{...G}} "
        f"fragment G on MlflowRunExtension{{e:experiment{{name}} {fields}}}",
        f'mutation{{mlflowSearchRuns(input:{{experimentIds:["{theirs.names["experiment"]}"]}}){{runs{{{fields}}}}}}}',
    )
    answers = [application.ask(Request.of("POST", "/graphql", {"query": query}), *users["bert"].credentials)
               for query in documents]  # fmt: skip
    return [
        ["versions", answer.status, answer.text[:300]]
        for answer in answers
        if answer.status != 200 or theirs.mark not in answer.text or theirs.names["model"] in answer.text
    ]


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
        # The location of a file is refused to everybody.
        if answer.status != 200 and name != "file":
            refused.append([name, answer.status, answer.text[:200]])
    if installed().mlflow == "3.17.2":
        served += attack_uploads(application, users, worlds)
    after = rows_of(theirs)
    served += shown_versions(application, users, worlds)
    print(json.dumps({"served": served, "refused": refused, "changed": [n for n in before if before[n] != after[n]]}))


if __name__ == "__main__":
    main()
