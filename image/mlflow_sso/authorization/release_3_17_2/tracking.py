"""Experiments, runs, metrics and logged models of MLflow 3.17.2."""

from mlflow_sso.authorization.rules import (
    ADMINISTRATOR,
    AJAX,
    MEMBER,
    Form,
    Kind,
    Where,
    edits,
    has,
    manages,
    reads,
    rest,
    route,
    tags,
)

EXPERIMENTS = (
    rest("POST", "/mlflow/experiments/create",
         MEMBER & has(Form.ARTIFACT_LOCATION, "artifact_location") & tags("tags")),
    rest("GET", "/mlflow/experiments/get", reads(Kind.EXPERIMENT, "experiment_id")),
    rest("GET", "/mlflow/experiments/get-by-name", reads(Kind.EXPERIMENT_NAME, "experiment_name")),
    rest("POST", "/mlflow/experiments/update", edits(Kind.EXPERIMENT, "experiment_id")),
    rest("POST", "/mlflow/experiments/delete", manages(Kind.EXPERIMENT, "experiment_id")),
    rest("POST", "/mlflow/experiments/restore", manages(Kind.EXPERIMENT, "experiment_id")),
    rest("POST", "/mlflow/experiments/set-experiment-tag", edits(Kind.EXPERIMENT, "experiment_id") & tags("")),
    rest("POST", "/mlflow/experiments/delete-experiment-tag", edits(Kind.EXPERIMENT, "experiment_id")),
    # MLflow registers the second path for clients without its slash.
    route(
        "POST",
        (
            "/ajax-api/2.0/mlflow/experiments/search-datasets",
            "/ajax-api/2.0mlflow/experiments/search-datasets",
            "/api/2.0mlflow/experiments/search-datasets",
        ),
        reads(Kind.EXPERIMENT, "experiment_ids[]"),
    ),
)  # fmt: skip

_RUN = ("run_uuid",)
"""The old name of ``run_id``, which MLflow's client still sends beside it."""

RUNS = (
    rest("POST", "/mlflow/runs/create", edits(Kind.EXPERIMENT, "experiment_id") & tags("tags")),
    rest("POST", "/mlflow/runs/search", reads(Kind.EXPERIMENT, "experiment_ids[]", optional=True)),
    rest("GET", "/mlflow/runs/get", reads(Kind.RUN, "run_id", also=_RUN)),
    rest("POST", "/mlflow/runs/update", edits(Kind.RUN, "run_id", also=_RUN)),
    rest("POST", "/mlflow/runs/delete", manages(Kind.RUN, "run_id")),
    rest("POST", "/mlflow/runs/restore", manages(Kind.RUN, "run_id")),
    rest(
        "POST",
        "/mlflow/runs/log-metric",
        edits(Kind.RUN, "run_id", also=_RUN) & edits(Kind.LOGGED_MODEL, "model_id", optional=True),
    ),
    rest(
        "POST",
        "/mlflow/runs/log-batch",
        edits(Kind.RUN, "run_id") & edits(Kind.LOGGED_MODEL, "metrics[].model_id", optional=True) & tags("tags"),
    ),
    rest("POST", "/mlflow/runs/log-parameter", edits(Kind.RUN, "run_id", also=_RUN)),
    rest("POST", "/mlflow/runs/log-model", edits(Kind.RUN, "run_id")),
    rest("POST", "/mlflow/runs/set-tag", edits(Kind.RUN, "run_id", also=_RUN) & tags("")),
    rest("POST", "/mlflow/runs/delete-tag", edits(Kind.RUN, "run_id")),
    rest(
        "POST",
        "/mlflow/runs/create-promptlab-run",
        edits(Kind.EXPERIMENT, "experiment_id") & tags("tags"),
        prefixes=AJAX,
    ),
    rest("GET", "/mlflow/metrics/get-history", reads(Kind.RUN, "run_id", also=_RUN)),
    rest("GET", "/mlflow/metrics/get-history-bulk", reads(Kind.RUN, "run_id[]"), prefixes=AJAX),
    rest("GET", "/mlflow/metrics/get-history-bulk-interval", reads(Kind.RUN, "run_ids[]", also=("run_id[]",))),
)

_MODEL = "/mlflow/logged-models/<model_id>"

LOGGED_MODELS = (
    rest("GET", _MODEL, reads(Kind.LOGGED_MODEL, "model_id", where=Where.PATH)),
    rest("PATCH", _MODEL, edits(Kind.LOGGED_MODEL, "model_id", where=Where.PATH)),
    rest("DELETE", _MODEL, manages(Kind.LOGGED_MODEL, "model_id", where=Where.PATH)),
    rest("POST", f"{_MODEL}/params", edits(Kind.LOGGED_MODEL, "model_id", where=Where.PATH)),
    rest("PATCH", f"{_MODEL}/tags", edits(Kind.LOGGED_MODEL, "model_id", where=Where.PATH) & tags("tags")),
    rest("DELETE", f"{_MODEL}/tags/<tag_key>", manages(Kind.LOGGED_MODEL, "model_id", where=Where.PATH)),
)

DEMONSTRATION = tuple(
    # It creates and deletes an experiment that all share.
    rest("POST", f"/mlflow/demo/{step}", ADMINISTRATOR, prefixes=AJAX, versions=("3.0",))
    for step in ("generate", "delete")
)

ASKED_BY_SERVE = (
    # The plugin asks for the run, not for the models.
    *(
        rest(
            "POST",
            path,
            edits(Kind.RUN, "run_id")
            & reads(Kind.LOGGED_MODEL, "models[].model_id", optional=True)
            & tags("datasets[].tags"),
        )
        for path in ("/mlflow/runs/log-inputs", "/mlflow/runs/outputs")
    ),
    # The plugin asks for the experiment, not for the run.
    rest(
        "POST",
        "/mlflow/logged-models",
        edits(Kind.EXPERIMENT, "experiment_id") & reads(Kind.RUN, "source_run_id", optional=True) & tags("tags"),
    ),
)

LISTED_BY_SERVE = (
    rest("GET", "/mlflow/experiments/search", MEMBER.listing(Kind.EXPERIMENT)),
    rest("POST", "/mlflow/experiments/search", MEMBER.listing(Kind.EXPERIMENT)),
    rest("POST", "/mlflow/logged-models/search", MEMBER.listing(Kind.LOGGED_MODEL)),
)

ROUTES = (*EXPERIMENTS, *RUNS, *LOGGED_MODELS, *DEMONSTRATION)
