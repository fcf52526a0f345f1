"""Requests for what people keep in MLflow: experiments, runs, artifacts, models, prompts and traces.

Values in braces are those of the place that a request goes to (places.py).
"""

from collections.abc import Sequence

from row import MLFLOW, PAGES, PROXY, PROXY_OF_PAGES, TRACES, Level, Row, find, get, send

METRIC = {"key": "added", "value": 1, "timestamp": 1, "step": 1}
TAG = {"key": "colour", "value": "blue"}
PAIR = {"key": "a", "value": "b"}
QUERY = 'query Find {{mlflowGetRun(input: {{runId: "{run}"}}) {{run {{data {{params {{key value}}}}}}}}}}'
DATASET = {"name": "more", "digest": "1", "source_type": "local", "source": "{{}}"}

EXPERIMENTS = (
    get("read an experiment", Level.READ, f"{MLFLOW}/experiments/get?experiment_id={{experiment}}"),
    get("read an experiment by its name", Level.READ, f"{MLFLOW}/experiments/get-by-name?experiment_name={{secret}}"),
    find("find experiments", Level.READ, f"{MLFLOW}/experiments/search", max_results=1000, filter="name = '{secret}'"),
    find("find data sets", Level.READ, f"{PAGES}/experiments/search-datasets", experiment_ids=["{experiment}"]),
    send("tag an experiment", Level.EDIT, "POST", f"{MLFLOW}/experiments/set-experiment-tag",
         experiment_id="{experiment}", **TAG),
    send("rename an experiment", Level.EDIT, "POST", f"{MLFLOW}/experiments/update",
         experiment_id="{experiment}", new_name="{secret} renamed"),
)  # fmt: skip

RUNS = (
    get("read a run", Level.READ, f"{MLFLOW}/runs/get?run_id={{run}}"),
    find("find runs", Level.READ, f"{MLFLOW}/runs/search", experiment_ids=["{experiment}"]),
    # The pages ask by GraphQL, which 3.6.0's plugin lets through unread.
    find("query a run by GraphQL", Level.READ, "/graphql", operationName="Find", variables={}, query=QUERY),
    get("read a metric's history", Level.READ,
        f"{MLFLOW}/metrics/get-history?run_id={{run}}&metric_key={{secret}}&max_results=10"),
    get("read histories in bulk", Level.READ,
        f"{PAGES}/metrics/get-history-bulk?run_id={{run}}&metric_key={{secret}}"),
    get("read histories in steps", Level.READ,
        f"{PAGES}/metrics/get-history-bulk-interval?run_ids={{run}}&metric_key={{secret}}&max_results=10"),
    send("make a run", Level.EDIT, "POST", f"{MLFLOW}/runs/create", experiment_id="{experiment}", start_time=1),
    send("change a run", Level.EDIT, "POST", f"{MLFLOW}/runs/update", run_id="{run}", run_name="changed"),
    send("log a parameter", Level.EDIT, "POST", f"{MLFLOW}/runs/log-parameter", run_id="{run}", key="p", value="1"),
    send("log a metric", Level.EDIT, "POST", f"{MLFLOW}/runs/log-metric", run_id="{run}", **METRIC),
    send("log a batch", Level.EDIT, "POST", f"{MLFLOW}/runs/log-batch", run_id="{run}", metrics=[METRIC]),
    send("tag a run", Level.EDIT, "POST", f"{MLFLOW}/runs/set-tag", run_id="{run}", **TAG),
    send("log a data set", Level.EDIT, "POST", f"{MLFLOW}/runs/log-inputs", run_id="{run}",
         datasets=[{"dataset": DATASET}]),
    send("log a run's model outputs", Level.EDIT, "POST", f"{MLFLOW}/runs/outputs", run_id="{run}",
         models=[{"model_id": "{logged_model}", "step": 1}]),
)  # fmt: skip

ARTIFACTS = (
    get("list a run's artifacts", Level.READ, f"{MLFLOW}/artifacts/list?run_id={{run}}"),
    get("download an artifact", Level.READ, f"{PROXY}/artifacts/{{file}}"),
    get("list artifacts by the proxy", Level.READ, f"{PROXY}/artifacts?path={{folder}}"),
    get("download an artifact as pages do", Level.READ, "/get-artifact?run_id={run}&path={secret}.txt"),
    get("download by the pages' proxy", Level.READ, f"{PROXY_OF_PAGES}/artifacts/{{file}}"),
    get("list by the pages' proxy", Level.READ, f"{PROXY_OF_PAGES}/artifacts?path={{folder}}"),
    send("upload an artifact", Level.EDIT, "PUT", f"{PROXY}/artifacts/{{folder}}/new.txt"),
    send("upload by the pages' proxy", Level.EDIT, "PUT", f"{PROXY_OF_PAGES}/artifacts/{{folder}}/other.txt"),
    # Of the pages only: it writes beside the proxy, so it needs a rule of its own.
    send("upload an artifact as pages do", Level.EDIT, "POST",
         f"{PAGES}/upload-artifact?run_uuid={{run}}&path=pages.json", any="thing"),
    send("start an upload in parts", Level.EDIT, "POST", f"{PROXY}/mpu/create/{{folder}}/parts.bin",
         path="parts.bin", num_parts=1),
    send("make a run of the prompt laboratory", Level.EDIT, "POST", f"{PAGES}/runs/create-promptlab-run",
         experiment_id="{experiment}", prompt_template="a", prompt_parameters=[PAIR], model_route="none",
         model_parameters=[PAIR], model_input="a", model_output="b", model_output_parameters=[PAIR],
         mlflow_version="3"),
)  # fmt: skip

LOGGED_MODELS = (
    get("read a logged model", Level.READ, f"{MLFLOW}/logged-models/{{logged_model}}"),
    find("find logged models", Level.READ, f"{MLFLOW}/logged-models/search", experiment_ids=["{experiment}"]),
    get("list a logged model's artifacts", Level.READ,
        f"{MLFLOW}/logged-models/{{logged_model}}/artifacts/directories"),
    get("download a logged model's artifact", Level.READ,
        f"{PAGES}/logged-models/{{logged_model}}/artifacts/files?artifact_file_path={{secret}}.txt"),
    send("tag a logged model", Level.EDIT, "PATCH", f"{MLFLOW}/logged-models/{{logged_model}}/tags", tags=[TAG]),
    send("finalize a logged model", Level.EDIT, "PATCH", f"{MLFLOW}/logged-models/{{logged_model}}",
         model_id="{logged_model}", status="LOGGED_MODEL_READY"),
)  # fmt: skip

TRACE_ROWS = (
    get("read a trace", Level.READ, f"{TRACES}/{{trace}}"),
    find("find traces", Level.READ, f"{TRACES}/search",
         locations=[{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{experiment}"}}]),
    send("tag a trace", Level.EDIT, "PATCH", f"{TRACES}/{{trace}}/tags", **TAG),
    send("assess a trace", Level.EDIT, "POST", f"{TRACES}/{{trace}}/assessments",
         assessment={"assessment_name": "good", "trace_id": "{trace}", "feedback": {"value": True},
                     "source": {"source_type": "HUMAN", "source_id": "a judge"}}),
    send("start a trace", Level.EDIT, "POST", TRACES, trace={"trace_info": {
        "trace_id": "{new_trace}", "state": "OK", "request_time": "2026-01-01T00:00:00Z",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{experiment}"}}}}),
    send("link a trace to a run", Level.EDIT, "POST", f"{MLFLOW}/traces/link-to-run",
         trace_ids=["{trace}"], run_id="{run}"),
)  # fmt: skip


def _registry(kind: str, name: str, found: str) -> Sequence[Row]:
    """What registered models and prompts have in common."""
    return (
        get(f"read a {kind}", Level.READ, f"{MLFLOW}/registered-models/get?name={name}"),
        find(f"list versions of a {kind}", Level.READ, f"{MLFLOW}/registered-models/get-latest-versions", name=name),
        get(f"read a version of a {kind}", Level.READ, f"{MLFLOW}/model-versions/get?name={name}&version=1"),
        get(f"find versions of a {kind}", Level.READ, f"{MLFLOW}/model-versions/search?filter={found}"),
        get(f"read a {kind} by its alias", Level.READ, f"{MLFLOW}/registered-models/alias?name={name}&alias=first"),
        send(f"describe a {kind}", Level.EDIT, "PATCH", f"{MLFLOW}/registered-models/update", name=name,
             description="changed"),
        send(f"tag a {kind}", Level.EDIT, "POST", f"{MLFLOW}/registered-models/set-tag", name=name, **TAG),
        send(f"tag a version of a {kind}", Level.EDIT, "POST", f"{MLFLOW}/model-versions/set-tag", name=name,
             version="1", **TAG),
        send(f"give a {kind} an alias", Level.EDIT, "POST", f"{MLFLOW}/registered-models/alias", name=name,
             alias="second", version="1"),
    )  # fmt: skip


MODELS = (
    *_registry("model", "{model}", "name%3D'{model}'"),
    get("find models", Level.READ, f"{MLFLOW}/registered-models/search?filter=name%3D'{{model}}'"),
    # The answer names the run's folder and not the secret, hence ``shows``.
    get("read where a version's files are", Level.READ,
        f"{MLFLOW}/model-versions/get-download-uri?name={{model}}&version=1", shows="{run}"),
    get("download a version's file", Level.READ,
        "/model-versions/get-artifact?name={model}&version=1&path={secret}.txt"),
    send("make a version of a model", Level.EDIT, "POST", f"{MLFLOW}/model-versions/create", name="{model}",
         source="mlflow-artifacts:/{folder}", run_id="{run}"),
    send("move a version to a stage", Level.EDIT, "POST", f"{MLFLOW}/model-versions/transition-stage",
         name="{model}", version="1", stage="Staging", archive_existing_versions=False),
)  # fmt: skip

PROMPTS = (
    *_registry("prompt", "{prompt}", "name%3D'{prompt}'+AND+tags.%60mlflow.prompt.is_prompt%60%3D'true'"),
    send("make a version of a prompt", Level.EDIT, "POST", f"{MLFLOW}/model-versions/create", name="{prompt}",
         source="prompt-template", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"},
                                         {"key": "mlflow.prompt.text", "value": "another"}]),
)  # fmt: skip

ROWS = (*EXPERIMENTS, *RUNS, *ARTIFACTS, *LOGGED_MODELS, *TRACE_ROWS, *MODELS, *PROMPTS)

# The order matters: children before what holds them, or the parent's end would be why the child is refused.
DELETIONS = (
    send("delete an artifact by the pages' proxy", Level.MANAGE, "DELETE", f"{PROXY_OF_PAGES}/artifacts/{{spare}}"),
    send("delete an artifact", Level.MANAGE, "DELETE", f"{PROXY}/artifacts/{{file}}"),
    send("delete traces", Level.MANAGE, "POST", f"{TRACES}/delete-traces", experiment_id="{experiment}",
         request_ids=["{trace}"]),
    send("delete a logged model", Level.MANAGE, "DELETE", f"{MLFLOW}/logged-models/{{logged_model}}"),
    send("take an alias from a model", Level.MANAGE, "DELETE", f"{MLFLOW}/registered-models/alias", name="{model}",
         alias="first"),
    send("delete a version of a model", Level.MANAGE, "DELETE", f"{MLFLOW}/model-versions/delete", name="{model}",
         version="1"),
    send("delete a model", Level.MANAGE, "DELETE", f"{MLFLOW}/registered-models/delete", name="{model}"),
    send("delete a prompt", Level.MANAGE, "DELETE", f"{MLFLOW}/registered-models/delete", name="{prompt}"),
    send("delete a run", Level.MANAGE, "POST", f"{MLFLOW}/runs/delete", run_id="{run}"),
    # A deleted run can be asked for still: deletion only marks it until gc.
    send("restore a run", Level.MANAGE, "POST", f"{MLFLOW}/runs/restore", run_id="{run}"),
    send("delete an experiment", Level.MANAGE, "POST", f"{MLFLOW}/experiments/delete", experiment_id="{experiment}"),
)  # fmt: skip
