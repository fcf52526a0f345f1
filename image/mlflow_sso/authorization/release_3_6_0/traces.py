"""Routes of traces, in both versions, and of their tags and assessments."""

from mlflow_sso.authorization.rules import (
    Body,
    Form,
    Kind,
    Where,
    absent,
    edits,
    has,
    manages,
    reads,
    rest,
    route,
    tags,
)

EXPERIMENT, TRACE = Kind.EXPERIMENT, Kind.TRACE
READ = reads(TRACE, "trace_id", where=Where.PATH)
EDIT = edits(TRACE, "trace_id", where=Where.PATH, also=("request_id",))
EDIT_V2 = edits(TRACE, "request_id", where=Where.PATH, also=("trace_id",))
INFO = "trace.trace_info"
ASSESSED = edits(TRACE, "assessment.trace_id", where=Where.BODY, optional=True)
METADATA, KEY = tags("assessment.metadata"), has(Form.TAG_KEY, "key") & has(Form.NAMED, "key")
# Deleting an assessment makes the one that it overrides valid again.
IDS = has(Form.NEW_ASSESSMENT_ID, "assessment.assessment_id") & has(Form.NEW_ASSESSMENT_ID, "assessment.overrides")
STATUS = has(Form.TRACE_STATUS, "status")

V2 = (
    rest("GET", "/mlflow/traces", reads(EXPERIMENT, "experiment_ids[]")),
    rest("POST", "/mlflow/traces", edits(EXPERIMENT, "experiment_id") & tags("tags") & tags("request_metadata")),
    rest("PATCH", "/mlflow/traces/<request_id>", EDIT_V2 & tags("tags") & tags("request_metadata") & STATUS),
    rest("GET", "/mlflow/traces/<request_id>/info", reads(TRACE, "request_id", where=Where.PATH)),
    rest("PATCH", "/mlflow/traces/<request_id>/tags", EDIT_V2 & tags("")),
    rest("DELETE", "/mlflow/traces/<request_id>/tags", EDIT_V2 & KEY),
    rest("POST", "/mlflow/traces/link-to-run", reads(TRACE, "trace_ids[]") & edits(Kind.RUN, "run_id")),
)

_V3 = ("3.0",)
V3 = (
    rest("POST", "/mlflow/traces",
         edits(EXPERIMENT, f"{INFO}.trace_location.mlflow_experiment.experiment_id")
         & has(Form.NEW_TRACE_ID, f"{INFO}.trace_id") & tags(f"{INFO}.tags") & tags(f"{INFO}.trace_metadata")
         & tags(f"{INFO}.assessments[].metadata")
         & has(Form.NEW_TRACE_ID, f"{INFO}.assessments[].trace_id")
         & has(Form.NEW_ASSESSMENT_ID, f"{INFO}.assessments[].assessment_id")
         & has(Form.NEW_ASSESSMENT_ID, f"{INFO}.assessments[].overrides"), versions=_V3),
    rest("GET", "/mlflow/traces/<trace_id>", READ, versions=_V3),
    rest("GET", "/mlflow/traces/batchGet", reads(TRACE, "trace_ids[]"), versions=_V3),
    rest("POST", "/mlflow/traces/search",
         reads(EXPERIMENT, "locations[].mlflow_experiment.experiment_id"), versions=_V3),
    rest("POST", "/mlflow/traces/calculate-filter-correlation", reads(EXPERIMENT, "experiment_ids[]"), versions=_V3),
    rest("POST", "/mlflow/traces/delete-traces", manages(EXPERIMENT, "experiment_id"), versions=("2.0", "3.0")),
    rest("PATCH", "/mlflow/traces/<trace_id>/tags", EDIT & tags(""), versions=_V3),
    rest("DELETE", "/mlflow/traces/<trace_id>/tags", EDIT & KEY, versions=_V3),
    rest("POST", "/mlflow/traces/<trace_id>/assessments",
         EDIT & ASSESSED & METADATA & IDS, versions=_V3),
    rest("GET", "/mlflow/traces/<trace_id>/assessments/<assessment_id>", READ, versions=_V3),
    rest("PATCH", "/mlflow/traces/<trace_id>/assessments/<assessment_id>", EDIT & ASSESSED & METADATA, versions=_V3),
    rest("DELETE", "/mlflow/traces/<trace_id>/assessments/<assessment_id>", EDIT, versions=_V3),
)  # fmt: skip

SPANS = (
    # MLflow's client logs the spans of its traces here. They go to any trace that exists.
    route("POST", "/v1/traces",
          edits(EXPERIMENT, "x-mlflow-experiment-id", where=Where.HEADER) & has(Form.OTLP, ""), body=Body.OTLP),
)  # fmt: skip

LATER = (
    # Clients from 3.8 on ask for it first; here it would be the trace called "get".
    rest("GET", "/mlflow/traces/get", absent("Trace with ID 'get' not found."), versions=_V3),
)

ROUTES = (*V2, *V3, *SPANS, *LATER)
