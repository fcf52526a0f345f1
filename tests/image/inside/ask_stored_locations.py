"""Asks for files by rows that hold hostile locations, as rows of earlier installations may; writes JSON.

Arguments: the root of the Secrets, the access keys by user name, this name, a folder with a file ``secret.txt``, and a
location that ``artifacts.allowed_locations`` names, with such a file.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from application import Answer, Application, Request, basic
from world import MLFLOW, THIRD, User, World

from mlflow_sso.releases import installed

FILE = "secret.txt"
UUID = "00000000-0000-4000-8000-000000000000"
AJAX = "/ajax-api/2.0/mlflow"
DOCUMENT = '{mlflowListArtifacts(input:{runId:"%s"}){files{path}}}'


def requests(mine: Mapping[str, str]) -> Iterator[tuple[str, Request]]:
    """Every request that follows a location of a row of the attacker's."""
    run, model = mine["run"], mine["logged_model"]
    for name, path in {
        "file of a run": f"/get-artifact?run_id={run}&path={FILE}",
        "list of a run": f"{MLFLOW}/artifacts/list?run_id={run}",
        "file of a version": f"/model-versions/get-artifact?name={mine['model']}&version=1&path={FILE}",
        "list of a logged model": f"{MLFLOW}/logged-models/{model}/artifacts/directories",
        "file of a logged model": f"{AJAX}/logged-models/{model}/artifacts/files?artifact_file_path={FILE}",
        "file of a trace": f"{AJAX}/get-trace-artifact?request_id={mine['trace']}",
    }.items():
        yield name, Request.of("GET", path)
    yield "list by GraphQL", Request.of("POST", "/graphql", {"query": DOCUMENT % run})
    if installed().mlflow == "3.17.2":
        attachment = f"{AJAX}/get-trace-artifact?request_id={mine['trace']}&path={UUID}"
        yield "attachment of a trace", Request.of("GET", attachment)
        body = {"run_id": run, "path": FILE}
        yield "download by URL", Request.of("POST", f"{MLFLOW}/artifacts/presigned-download-url", body)


def archived(mine: Mapping[str, str]) -> Iterator[tuple[str, Request]]:
    """What reads the spans of an archived trace."""
    trace = mine["trace"]
    yield "archived trace", Request.of("GET", f"{THIRD}/traces/get?trace_id={trace}")
    yield "archived traces", Request.of("GET", f"{THIRD}/traces/batchGet?trace_ids={trace}")
    yield "file of an archived trace", Request.of("GET", f"{AJAX}/get-trace-artifact?request_id={trace}")


def locations(theirs: Mapping[str, str], mine: Mapping[str, str], folder: str) -> Iterator[str]:
    """Whatever a row could say."""
    bucket = os.environ["MLFLOW_ARTIFACTS_DESTINATION"]
    yield from (folder, f"file://{folder}", f"file:{folder}", "ftp://anna:key-of-anna@127.0.0.1:9/x", "s3://another/x")
    for proxy in ("http://127.0.0.1:9", "https://localhost"):
        yield f"{proxy}/api/2.0/mlflow-artifacts/artifacts/{theirs['folder']}"
    yield from (f"{bucket}/{theirs['folder']}", f"{bucket}-2/x", f"{bucket}/{mine['experiment']}/../{theirs['folder']}")
    for path in (theirs["folder"], f"{mine['experiment']}/../{theirs['folder']}"):
        yield f"mlflow-artifacts:/{path}"
    yield f"mlflow-artifacts://host/{theirs['folder']}"
    yield f"mlflow-artifacts:/{mine['experiment']}/%2e%2e/{theirs['folder']}"
    yield f"MLFLOW-ARTIFACTS:/{theirs['folder']}"
    yield from (
        f"runs:/{theirs['run']}",
        f"models:/{theirs['model']}/1",
        "dbfs:/x",
        "prompt-template",
        "mlflow-artifacts:/",
    )


TAG = """
INSERT INTO trace_tags (request_id, key, value) VALUES (:trace, :key, :value)
ON CONFLICT (request_id, key) DO UPDATE SET value = excluded.value
"""
COLUMNS = (
    "UPDATE experiments SET artifact_location = :to WHERE experiment_id = CAST(:experiment AS integer)",
    "UPDATE runs SET artifact_uri = :to WHERE run_uuid = :run",
    "UPDATE logged_models SET artifact_location = :to WHERE model_id = :logged_model",
    "UPDATE model_versions SET source = :to, storage_location = :to WHERE name = :model",
)


def store(names: Mapping[str, str], location: str, *, spans: str = "ARTIFACT_REPO") -> None:
    """Let all rows of a world hold ``location``, and the spans of its trace be where ``spans`` says."""
    from mlflow.server.handlers import _get_tracking_store
    from sqlalchemy import text

    with _get_tracking_store().ManagedSessionMaker() as session:
        for statement in COLUMNS:
            session.execute(text(statement), {**names, "to": location})
        tags = {"artifactLocation": location, "trace.archiveLocation": location, "trace.spansLocation": spans}
        for key, value in tags.items():
            session.execute(text(TAG), {**names, "key": f"mlflow.{key}", "value": value})


def is_refused(name: str, answer: Answer) -> bool:
    """By 403, or an error of GraphQL's; both in one line."""
    if "URL" in name:
        # MLflow gives such URLs of no location behind the proxy.
        return answer.status in (400, 403, 501)
    if "GraphQL" in name:
        (error,) = answer.json().get("errors") or [""]
        return "not served" in error and "\n" not in error
    message = answer.json().get("message", "") if answer.status == 403 else ""
    return bool(message) and "\n" not in message and "key-of-anna" not in message


def main() -> None:
    """As bert, whose rows point at anna's files and elsewhere."""
    keys, application, folder = json.loads(sys.argv[2]), Application(), sys.argv[4]
    users = {name: User(name, (basic(name, keys[name]),)) for name in ("anna", "bert")}
    worlds = {name: World(application, user) for name, user in users.items()}
    mine, theirs, secret = worlds["bert"].names, worlds["anna"].names, worlds["anna"].secret
    me = users["bert"].credentials
    asked, outside, refused = [], Path(folder).name, []
    for location in locations(theirs, mine, folder):
        store(mine, location)
        asked += [(name, location, application.ask(one, *me)) for name, one in requests(mine)]
        if installed().mlflow == "3.17.2":
            store(mine, location, spans="ARCHIVE_REPO")
            asked += [(name, location, application.ask(one, *me)) for name, one in archived(mine)]
    served = [
        [name, location, answer.status, answer.text[:200]]
        for name, location, answer in asked
        # A refusal may repeat the location that was asked for.
        if not is_refused(name, answer) or secret in answer.text or outside in answer.text.replace(location, "")
    ]
    own = f"/api/2.0/mlflow-artifacts/artifacts/{mine['folder']}/{FILE}"
    application.ask(Request(method="PUT", path=own, body=b"mine"), *me)
    bucket = os.environ["MLFLOW_ARTIFACTS_DESTINATION"]
    for location in (f"mlflow-artifacts:/{mine['folder']}", f"{bucket}/{mine['folder']}", sys.argv[5]):
        store(mine, location)
        for name, request in requests(mine):
            answer = application.ask(request, *me)
            if "URL" not in name and "trace" not in name and (answer.status != 200 or '"errors":[' in answer.text):
                refused.append([name, location, answer.status, answer.text[:200]])
    print(json.dumps({"served": served, "refused": refused}))


if __name__ == "__main__":
    main()
