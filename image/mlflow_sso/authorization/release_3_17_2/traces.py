"""Traces and their assessments, of MLflow 3.17.2."""

from mlflow_sso.authorization.references import LOCATION, refers_to
from mlflow_sso.authorization.rules import (
    MEMBER,
    Body,
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

THIRD = ("3.0",)
_OLD, _NEW = "/mlflow/traces/<request_id>", "/mlflow/traces/<trace_id>"
_STATUS = has(Form.TRACE_STATUS, "status")
_KEY, _METADATA = has(Form.TAG_KEY, "key") & has(Form.NAMED, "key"), tags("assessment.metadata")

VERSION_2 = (
    rest("GET", "/mlflow/traces", reads(Kind.EXPERIMENT, "experiment_ids[]")),
    rest("POST", "/mlflow/traces", edits(Kind.EXPERIMENT, "experiment_id") & tags("tags") & tags("request_metadata")),
    rest(
        "PATCH",
        _OLD,
        edits(Kind.TRACE, "request_id", where=Where.PATH) & tags("tags") & tags("request_metadata") & _STATUS,
    ),
    rest("GET", f"{_OLD}/info", reads(Kind.TRACE, "request_id", where=Where.PATH)),
    rest("PATCH", f"{_OLD}/tags", edits(Kind.TRACE, "request_id", where=Where.PATH) & tags("")),
    rest("DELETE", f"{_OLD}/tags", edits(Kind.TRACE, "request_id", where=Where.PATH) & _KEY),
)

VERSION_3 = (
    # A trace id that exists is written into, and moved: the plugin asks for both experiments then.
    rest(
        "POST",
        "/mlflow/traces",
        edits(Kind.EXPERIMENT, LOCATION)
        & tags("trace.trace_info.tags")
        & tags("trace.trace_info.trace_metadata")
        & tags("trace.trace_info.assessments[].metadata")
        & has(Form.NEW_TRACE_ID, "trace.trace_info.trace_id")
        & has(Form.NEW_TRACE_ID, "trace.trace_info.assessments[].trace_id")
        # The plugin looks only at those of a trace that is there, which may come between its look and MLflow's.
        & has(Form.NEW_ASSESSMENT_ID, "trace.trace_info.assessments[].assessment_id")
        & has(Form.NEW_ASSESSMENT_ID, "trace.trace_info.assessments[].overrides")
        & refers_to(Kind.ISSUE, "trace.trace_info.assessments[].assessment_name"),
        versions=THIRD,
    ),
    rest("POST", "/mlflow/traces/search", reads(Kind.EXPERIMENT, "locations[].mlflow_experiment.experiment_id"),
         versions=THIRD),
    rest("GET", "/mlflow/traces/get", reads(Kind.TRACE, "trace_id"), versions=THIRD),
    rest("GET", "/mlflow/traces/batchGet", reads(Kind.TRACE, "trace_ids[]"), versions=THIRD),
    rest("POST", "/mlflow/traces/batchGetInfos", reads(Kind.TRACE, "trace_ids[]"), versions=THIRD),
    rest("POST", "/mlflow/traces/metrics", reads(Kind.EXPERIMENT, "experiment_ids[]"), versions=THIRD),
    rest("POST", "/mlflow/traces/calculate-filter-correlation", reads(Kind.EXPERIMENT, "experiment_ids[]"),
         versions=THIRD),
    rest("GET", _NEW, reads(Kind.TRACE, "trace_id", where=Where.PATH), versions=THIRD),
    rest("PATCH", f"{_NEW}/tags", edits(Kind.TRACE, "trace_id", where=Where.PATH) & tags(""), versions=THIRD),
    rest("DELETE", f"{_NEW}/tags", edits(Kind.TRACE, "trace_id", where=Where.PATH) & _KEY, versions=THIRD),
)  # fmt: skip

_ASSESSMENT = f"{_NEW}/assessments/<assessment_id>"
# Deleting an assessment makes the one that it overrides valid again.
_IDS = has(Form.NEW_ASSESSMENT_ID, "assessment.assessment_id") & has(Form.NEW_ASSESSMENT_ID, "assessment.overrides")

# MLflow counts an assessment as a trace of the issue whose id is its name.
_NAME = refers_to(Kind.ISSUE, "assessment.assessment_name")

ASSESSMENTS = (
    rest(
        "POST",
        f"{_NEW}/assessments",
        edits(Kind.TRACE, "trace_id", where=Where.PATH) & _METADATA & _IDS & _NAME,
        versions=THIRD,
    ),
    rest("GET", _ASSESSMENT, reads(Kind.TRACE, "trace_id", where=Where.PATH), versions=THIRD),
    rest("PATCH", _ASSESSMENT, edits(Kind.TRACE, "trace_id", where=Where.PATH) & _METADATA & _NAME, versions=THIRD),
    rest("DELETE", _ASSESSMENT, edits(Kind.TRACE, "trace_id", where=Where.PATH), versions=THIRD),
)

MANY = (
    # Traces of another experiment are passed over.
    rest("POST", "/mlflow/traces/delete-traces", manages(Kind.EXPERIMENT, "experiment_id"), versions=("2.0", "3.0")),
    rest("POST", "/mlflow/traces/link-prompts",
         edits(Kind.TRACE, "trace_id") & refers_to(Kind.REGISTERED_MODEL, "prompt_versions[].name")),
    # MLflow answers that it has not implemented them.
    rest("GET", "/mlflow/unified-traces", MEMBER),
    rest("GET", "/mlflow/get-online-trace-details", MEMBER),
)  # fmt: skip

ROUTES = (*VERSION_2, *VERSION_3, *ASSESSMENTS, *MANY)

ASKED_BY_SERVE = (
    # The plugin asks for the run, not for the traces.
    rest("POST", "/mlflow/traces/link-to-run", edits(Kind.RUN, "run_id") & reads(Kind.TRACE, "trace_ids[]")),
    # The plugin checks only the experiment; spans are written to any trace that exists, and the run is linked unasked.
    route(
        "POST",
        "/v1/traces",
        edits(Kind.EXPERIMENT, "x-mlflow-experiment-id", where=Where.HEADER)
        & edits(Kind.RUN, "x-mlflow-run-id", where=Where.HEADER, optional=True)
        & has(Form.OTLP, ""),
        body=Body.OTLP,
    ),
)
