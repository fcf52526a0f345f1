"""Evaluation data sets, scorers, issues, reviews and jobs, of MLflow 3.17.2."""

from mlflow_sso.authorization.references import refers_to
from mlflow_sso.authorization.rules import (
    AJAX,
    MEMBER,
    Kind,
    Where,
    edits,
    manages,
    reads,
    rest,
    route,
    tags,
)

THIRD = ("3.0",)
_DATASET = "/mlflow/datasets/<dataset_id>"

DATASETS = (
    # The permission is that of every experiment that the data set is linked to; without one, administrators only.
    rest("POST", "/mlflow/datasets/create", edits(Kind.EXPERIMENT, "experiment_ids[]") & tags("tags"), versions=THIRD),
    rest("GET", _DATASET, reads(Kind.DATASET, "dataset_id", where=Where.PATH), versions=THIRD),
    rest("DELETE", _DATASET, manages(Kind.DATASET, "dataset_id", where=Where.PATH), versions=THIRD),
    *(
        rest("POST", f"{_DATASET}/{step}-experiments",
             edits(Kind.DATASET, "dataset_id", where=Where.PATH) & edits(Kind.EXPERIMENT, "experiment_ids[]"),
             versions=THIRD)
        for step in ("add", "remove")
    ),
    rest("GET", f"{_DATASET}/experiment-ids", reads(Kind.DATASET, "dataset_id", where=Where.PATH), versions=THIRD),
    rest("GET", f"{_DATASET}/records", reads(Kind.DATASET, "dataset_id", where=Where.PATH), versions=THIRD),
    rest("POST", f"{_DATASET}/records", edits(Kind.DATASET, "dataset_id", where=Where.PATH), versions=THIRD),
    rest("DELETE", f"{_DATASET}/records", edits(Kind.DATASET, "dataset_id", where=Where.PATH), versions=THIRD),
    rest("PATCH", f"{_DATASET}/tags", edits(Kind.DATASET, "dataset_id", where=Where.PATH) & tags("tags"),
         versions=THIRD),
    rest("DELETE", f"{_DATASET}/tags/<key>", edits(Kind.DATASET, "dataset_id", where=Where.PATH), versions=THIRD),
)  # fmt: skip

_SCORER = reads(Kind.EXPERIMENT, "experiment_id") & reads(Kind.SCORER, "name")
_EDITED = edits(Kind.EXPERIMENT, "experiment_id") & edits(Kind.SCORER, "name")
# Whoever has a scorer run has its model asked, which the plugin does not look at.
_WRITTEN = refers_to(Kind.GATEWAY_ENDPOINT, "serialized_scorer")

SCORERS = (
    # A grant on the scorer itself decides if there is one, else the permission of its experiment.
    rest("POST", "/mlflow/scorers/register", edits(Kind.EXPERIMENT, "experiment_id") & _WRITTEN, versions=THIRD),
    rest("GET", "/mlflow/scorers/get", _SCORER, versions=THIRD),
    rest("GET", "/mlflow/scorers/versions", _SCORER, versions=THIRD),
    rest("DELETE", "/mlflow/scorers/delete",
         manages(Kind.EXPERIMENT, "experiment_id") & manages(Kind.SCORER, "name"), versions=THIRD),
    rest("PUT", "/mlflow/scorers/online-config", _EDITED & refers_to(Kind.SCORER_MODEL, "name"), versions=THIRD),
    rest("GET", "/mlflow/scorers/online-configs", reads(Kind.SCORER, "scorer_ids[]"), versions=THIRD),
    # EDIT if it logs assessments.
    rest(
        "POST",
        "/mlflow/scorer/invoke",
        reads(Kind.EXPERIMENT, "experiment_id").starting_work()
        & _WRITTEN
        & refers_to(Kind.SCORER_MODEL, "scorer_name"),
        prefixes=AJAX,
        versions=THIRD,
    ),
)  # fmt: skip

_ISSUE = "/mlflow/issues/<issue_id>"
_ON_TRACES = edits(Kind.EXPERIMENT, "experiment_id") & reads(Kind.TRACE, "trace_ids[]", optional=True)

ISSUES = (
    rest("POST", "/mlflow/issues", edits(Kind.EXPERIMENT, "experiment_id"), versions=THIRD),
    rest("POST", "/mlflow/issues/search", reads(Kind.EXPERIMENT, "experiment_id"), versions=THIRD),
    rest("GET", _ISSUE, reads(Kind.ISSUE, "issue_id", where=Where.PATH), versions=THIRD),
    rest("PATCH", _ISSUE, edits(Kind.ISSUE, "issue_id", where=Where.PATH), versions=THIRD),
    rest("POST", "/mlflow/issues/invoke", _ON_TRACES, prefixes=AJAX, versions=THIRD),
    rest(
        "POST",
        "/mlflow/genai/evaluate/invoke",
        _ON_TRACES
        & refers_to(Kind.GATEWAY_ENDPOINT, "serialized_scorers[]")
        & refers_to(Kind.SCORER_MODEL, "serialized_scorers[]"),
        prefixes=AJAX,
        versions=THIRD,
    ),
)

_SCHEMAS, _QUEUES = "/mlflow/label-schemas", "/mlflow/review-queues"

REVIEWS = (
    rest("POST", f"{_SCHEMAS}/create", manages(Kind.EXPERIMENT, "experiment_id"), versions=THIRD),
    rest("GET", f"{_SCHEMAS}/list", reads(Kind.EXPERIMENT, "experiment_id"), versions=THIRD),
    rest("GET", f"{_SCHEMAS}/get-by-name", reads(Kind.EXPERIMENT, "experiment_id"), versions=THIRD),
    rest("GET", f"{_SCHEMAS}/get", reads(Kind.LABEL_SCHEMA, "schema_id"), versions=THIRD),
    rest("PATCH", f"{_SCHEMAS}/update", manages(Kind.LABEL_SCHEMA, "schema_id"), versions=THIRD),
    rest("DELETE", f"{_SCHEMAS}/delete", manages(Kind.LABEL_SCHEMA, "schema_id"), versions=THIRD),
    # A queue's own users may read it with READ of the experiment, and its owner may change it with EDIT.
    rest("POST", f"{_QUEUES}/create", edits(Kind.EXPERIMENT, "experiment_id"), versions=THIRD),
    rest("POST", f"{_QUEUES}/get-or-create-user", edits(Kind.EXPERIMENT, "experiment_id"), versions=THIRD),
    rest("GET", f"{_QUEUES}/list", reads(Kind.EXPERIMENT, "experiment_id").listing(Kind.REVIEW_QUEUE), versions=THIRD),
    rest("GET", f"{_QUEUES}/get-by-name", manages(Kind.EXPERIMENT, "experiment_id"), versions=THIRD),
    rest("GET", f"{_QUEUES}/get", manages(Kind.REVIEW_QUEUE, "queue_id"), versions=THIRD),
    rest("POST", f"{_QUEUES}/update", manages(Kind.REVIEW_QUEUE, "queue_id"), versions=THIRD),
    rest("POST", f"{_QUEUES}/delete", manages(Kind.REVIEW_QUEUE, "queue_id"), versions=THIRD),
    rest("GET", f"{_QUEUES}/items/list", manages(Kind.REVIEW_QUEUE, "queue_id"), versions=THIRD),
    rest("POST", f"{_QUEUES}/items/add", edits(Kind.REVIEW_QUEUE, "queue_id") & refers_to(Kind.TRACE, "item_ids[]"),
         versions=THIRD),
    rest("POST", f"{_QUEUES}/items/remove", manages(Kind.REVIEW_QUEUE, "queue_id"), versions=THIRD),
    # Only a user of the queue, not even who manages the experiment.
    rest("POST", f"{_QUEUES}/items/set-status", edits(Kind.REVIEW_QUEUE, "queue_id"), versions=THIRD),
)  # fmt: skip

_OPTIMIZATION = "/mlflow/prompt-optimization/jobs"
_JOBS = "/ajax-api/3.0/jobs"

JOBS = (
    # And EDIT of the prompt in ``source_prompt_uri``.
    rest(
        "POST",
        _OPTIMIZATION,
        edits(Kind.EXPERIMENT, "experiment_id")
        & tags("tags")
        & refers_to(Kind.GATEWAY_ENDPOINT, "config")
        & refers_to(Kind.SCORER_MODEL, "config.scorers[]"),
        versions=THIRD,
    ),
    rest("GET", f"{_OPTIMIZATION}/search", reads(Kind.EXPERIMENT, "experiment_id"), versions=THIRD),
    rest("POST", f"{_OPTIMIZATION}/search", reads(Kind.EXPERIMENT, "experiment_id"), versions=THIRD),
    rest("GET", f"{_OPTIMIZATION}/<job_id>", reads(Kind.JOB, "job_id", where=Where.PATH), versions=THIRD),
    rest("DELETE", f"{_OPTIMIZATION}/<job_id>", manages(Kind.JOB, "job_id", where=Where.PATH), versions=THIRD),
    rest("POST", f"{_OPTIMIZATION}/<job_id>/cancel", edits(Kind.JOB, "job_id", where=Where.PATH), versions=THIRD),
    rest("GET", "/mlflow/jobs/<job_id>", reads(Kind.JOB, "job_id", where=Where.PATH), prefixes=AJAX, versions=THIRD),
    rest("PATCH", "/mlflow/jobs/cancel/<job_id>", edits(Kind.JOB, "job_id", where=Where.PATH), prefixes=AJAX,
         versions=THIRD),
    # A job of this interface belongs to who has submitted it; what its parameters name is asked for.
    route("POST", f"{_JOBS}/", MEMBER & refers_to(Kind.GATEWAY_ENDPOINT, "params")
          & refers_to(Kind.SCORER_MODEL, "params.scorer_names[]")),
    route("POST", f"{_JOBS}/search", MEMBER.listing(Kind.JOB)),
    route("GET", f"{_JOBS}/<job_id>", manages(Kind.JOB, "job_id", where=Where.PATH)),
    route("PATCH", f"{_JOBS}/cancel/<job_id>", manages(Kind.JOB, "job_id", where=Where.PATH)),
)  # fmt: skip

LISTED_BY_SERVE = (
    *(
        rest(method, "/mlflow/datasets/search", reads(Kind.EXPERIMENT, "experiment_ids[]").listing(Kind.DATASET),
             versions=THIRD)
        for method in ("GET", "POST")
    ),
    rest("GET", "/mlflow/scorers/list", reads(Kind.EXPERIMENT, "experiment_id", optional=True).listing(Kind.SCORER),
         versions=THIRD),
)  # fmt: skip

ROUTES = (*DATASETS, *SCORERS, *ISSUES, *REVIEWS, *JOBS)
