"""Routes of traces, in both versions, and of their tags and assessments."""

from mlflow_sso.authorization.rules import Form, Kind, Where, edits, has, manages, reads, rest, tags

EXPERIMENT, TRACE = Kind.EXPERIMENT, Kind.TRACE
READ = reads(TRACE, "trace_id", where=Where.PATH)
EDIT = edits(TRACE, "trace_id", where=Where.PATH, also=("request_id",))
EDIT_V2 = edits(TRACE, "request_id", where=Where.PATH, also=("trace_id",))
INFO = "trace.trace_info"
ASSESSED = edits(TRACE, "assessment.trace_id", where=Where.BODY, optional=True)

V2 = (
    rest("GET", "/mlflow/traces", reads(EXPERIMENT, "experiment_ids[]")),
    rest("POST", "/mlflow/traces", edits(EXPERIMENT, "experiment_id") & tags("tags")),
    rest("PATCH", "/mlflow/traces/<request_id>", EDIT_V2 & tags("tags")),
    rest("GET", "/mlflow/traces/<request_id>/info", reads(TRACE, "request_id", where=Where.PATH)),
    rest("PATCH", "/mlflow/traces/<request_id>/tags", EDIT_V2 & tags("")),
    rest("DELETE", "/mlflow/traces/<request_id>/tags", EDIT_V2),
    rest("POST", "/mlflow/traces/link-to-run", reads(TRACE, "trace_ids[]") & edits(Kind.RUN, "run_id")),
)

_V3 = ("3.0",)
V3 = (
    rest("POST", "/mlflow/traces",
         edits(EXPERIMENT, f"{INFO}.trace_location.mlflow_experiment.experiment_id")
         & has(Form.NEW_TRACE_ID, f"{INFO}.trace_id") & tags(f"{INFO}.tags")
         & has(Form.NEW_TRACE_ID, f"{INFO}.assessments[].trace_id")
         & has(Form.NEW_ASSESSMENT_ID, f"{INFO}.assessments[].assessment_id"), versions=_V3),
    rest("GET", "/mlflow/traces/<trace_id>", READ, versions=_V3),
    rest("GET", "/mlflow/traces/batchGet", reads(TRACE, "trace_ids[]"), versions=_V3),
    rest("POST", "/mlflow/traces/search",
         reads(EXPERIMENT, "locations[].mlflow_experiment.experiment_id"), versions=_V3),
    rest("POST", "/mlflow/traces/calculate-filter-correlation", reads(EXPERIMENT, "experiment_ids[]"), versions=_V3),
    rest("POST", "/mlflow/traces/delete-traces", manages(EXPERIMENT, "experiment_id"), versions=("2.0", "3.0")),
    rest("PATCH", "/mlflow/traces/<trace_id>/tags", EDIT & tags(""), versions=_V3),
    rest("DELETE", "/mlflow/traces/<trace_id>/tags", EDIT, versions=_V3),
    rest("POST", "/mlflow/traces/<trace_id>/assessments",
         EDIT & ASSESSED & has(Form.NEW_ASSESSMENT_ID, "assessment.assessment_id"), versions=_V3),
    rest("GET", "/mlflow/traces/<trace_id>/assessments/<assessment_id>", READ, versions=_V3),
    rest("PATCH", "/mlflow/traces/<trace_id>/assessments/<assessment_id>", EDIT & ASSESSED, versions=_V3),
    rest("DELETE", "/mlflow/traces/<trace_id>/assessments/<assessment_id>", EDIT, versions=_V3),
)  # fmt: skip

ROUTES = (*V2, *V3)
