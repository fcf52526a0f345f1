"""Routes of experiments, runs, logged models, evaluation data sets and scorers."""

from mlflow_sso.authorization.rules import (
    AJAX,
    MEMBER,
    Form,
    Kind,
    Where,
    edits,
    has,
    manages,
    reads,
    refused,
    rest,
    tags,
)

EXPERIMENT, RUN, MODEL, DATASET = Kind.EXPERIMENT, Kind.RUN, Kind.LOGGED_MODEL, Kind.DATASET

READ_RUN, EDIT_RUN = reads(RUN, "run_id", also=("run_uuid",)), edits(RUN, "run_id", also=("run_uuid",))
READ_EXPERIMENT, EDIT_EXPERIMENT = reads(EXPERIMENT, "experiment_id"), edits(EXPERIMENT, "experiment_id")
MANAGE_EXPERIMENT = manages(EXPERIMENT, "experiment_id")
READ_EXPERIMENTS = reads(EXPERIMENT, "experiment_ids[]")
READ_MODEL = reads(MODEL, "model_id", where=Where.PATH)
EDIT_MODEL = edits(MODEL, "model_id", where=Where.PATH)
MANAGE_MODEL = manages(MODEL, "model_id", where=Where.PATH)
READ_DATASET = reads(DATASET, "dataset_id", where=Where.PATH)
EDIT_DATASET = edits(DATASET, "dataset_id", where=Where.PATH)
TAG = tags("")
"""The body is one tag."""

EXPERIMENTS = (
    rest("POST", "/mlflow/experiments/create", has(Form.ARTIFACT_LOCATION, "artifact_location") & tags("tags")),
    rest("GET", "/mlflow/experiments/get", READ_EXPERIMENT),
    rest("GET", "/mlflow/experiments/get-by-name", reads(Kind.EXPERIMENT_NAME, "experiment_name")),
    rest("GET POST", "/mlflow/experiments/search", MEMBER.listing(EXPERIMENT)),
    rest("POST", "/mlflow/experiments/search-datasets", READ_EXPERIMENTS, prefixes=AJAX),
    rest("POST", "/mlflow/experiments/update", EDIT_EXPERIMENT),
    rest("POST", "/mlflow/experiments/set-experiment-tag", EDIT_EXPERIMENT & TAG),
    rest("POST", "/mlflow/experiments/delete-experiment-tag", EDIT_EXPERIMENT),
    rest("POST", "/mlflow/experiments/delete", MANAGE_EXPERIMENT),
    rest("POST", "/mlflow/experiments/restore", MANAGE_EXPERIMENT),
)

RUNS = (
    rest("POST", "/mlflow/runs/create", EDIT_EXPERIMENT & tags("tags")),
    rest("GET", "/mlflow/runs/get", READ_RUN),
    rest("POST", "/mlflow/runs/search", reads(EXPERIMENT, "experiment_ids[]", optional=True)),
    rest("POST", "/mlflow/runs/update", EDIT_RUN),
    rest("POST", "/mlflow/runs/delete", manages(RUN, "run_id")),
    rest("POST", "/mlflow/runs/restore", manages(RUN, "run_id")),
    rest("POST", "/mlflow/runs/log-metric", EDIT_RUN & edits(MODEL, "model_id", optional=True)),
    rest("POST", "/mlflow/runs/log-parameter", EDIT_RUN),
    rest("POST", "/mlflow/runs/set-tag", EDIT_RUN & TAG),
    rest("POST", "/mlflow/runs/delete-tag", EDIT_RUN),
    rest("POST", "/mlflow/runs/log-batch", EDIT_RUN & tags("tags")
         & edits(MODEL, "metrics[].model_id", optional=True) & edits(RUN, "metrics[].run_id", optional=True)),
    rest("POST", "/mlflow/runs/log-model", EDIT_RUN),
    rest("POST", "/mlflow/runs/log-inputs", EDIT_RUN & reads(MODEL, "models[].model_id", optional=True)
         & tags("datasets[].tags")),
    rest("POST", "/mlflow/runs/outputs", EDIT_RUN & edits(MODEL, "models[].model_id", optional=True)),
    rest("POST", "/mlflow/runs/create-promptlab-run",
         refused("the prompt laboratory needs an AI gateway"), prefixes=AJAX),
    rest("GET", "/mlflow/metrics/get-history", READ_RUN),
    rest("GET", "/mlflow/metrics/get-history-bulk", reads(RUN, "run_id[]"), prefixes=AJAX),
    rest("GET", "/mlflow/metrics/get-history-bulk-interval", reads(RUN, "run_ids[]")),
)  # fmt: skip

LOGGED_MODELS = (
    rest("POST", "/mlflow/logged-models",
         EDIT_EXPERIMENT & reads(RUN, "source_run_id", optional=True) & tags("tags")),
    rest("POST", "/mlflow/logged-models/search", READ_EXPERIMENTS),
    rest("GET", "/mlflow/logged-models/<model_id>", READ_MODEL),
    rest("PATCH", "/mlflow/logged-models/<model_id>", EDIT_MODEL),
    rest("DELETE", "/mlflow/logged-models/<model_id>", MANAGE_MODEL),
    rest("POST", "/mlflow/logged-models/<model_id>/params", EDIT_MODEL),
    rest("PATCH", "/mlflow/logged-models/<model_id>/tags", EDIT_MODEL & tags("tags")),
    rest("DELETE", "/mlflow/logged-models/<model_id>/tags/<tag_key>", MANAGE_MODEL),
)  # fmt: skip

_V3 = ("3.0",)
DATASETS = (
    rest("POST", "/mlflow/datasets/create", edits(EXPERIMENT, "experiment_ids[]") & tags("tags"), versions=_V3),
    rest("GET POST", "/mlflow/datasets/search",
         reads(EXPERIMENT, "experiment_ids[]", optional=True).listing(DATASET), versions=_V3),
    rest("GET", "/mlflow/datasets/<dataset_id>", READ_DATASET, versions=_V3),
    rest("GET", "/mlflow/datasets/<dataset_id>/experiment-ids", READ_DATASET, versions=_V3),
    rest("GET", "/mlflow/datasets/<dataset_id>/records", READ_DATASET, versions=_V3),
    rest("POST", "/mlflow/datasets/<dataset_id>/records", EDIT_DATASET, versions=_V3),
    rest("PATCH", "/mlflow/datasets/<dataset_id>/tags", EDIT_DATASET & tags("tags"), versions=_V3),
    rest("DELETE", "/mlflow/datasets/<dataset_id>/tags/<key>", EDIT_DATASET, versions=_V3),
    rest("DELETE", "/mlflow/datasets/<dataset_id>", manages(DATASET, "dataset_id", where=Where.PATH), versions=_V3),
)  # fmt: skip

SCORERS = (
    rest("POST", "/mlflow/scorers/register", EDIT_EXPERIMENT, versions=_V3),
    rest("GET", "/mlflow/scorers/list", READ_EXPERIMENT, versions=_V3),
    rest("GET", "/mlflow/scorers/versions", READ_EXPERIMENT, versions=_V3),
    rest("GET", "/mlflow/scorers/get", READ_EXPERIMENT, versions=_V3),
    rest("DELETE", "/mlflow/scorers/delete", MANAGE_EXPERIMENT, versions=_V3),
)

ROUTES = (*EXPERIMENTS, *RUNS, *LOGGED_MODELS, *DATASETS, *SCORERS)
