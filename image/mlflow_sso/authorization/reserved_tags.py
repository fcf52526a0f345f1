"""Keys of tags and metadata that MLflow reserves: which of them its server believes, and what it takes to set those.

A key belongs to one kind of object, yet is judged on every route that stores tags, since MLflow's tables of tags are
alike. Keys that are not here are those of users; a test compares both tables with the constants of each release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.reading import normal
from mlflow_sso.authorization.rules import Kind


class Treatment(Enum):
    """What it takes to set a tag."""

    LOCATION = "EDIT of what lies at the location that it names"
    OBJECT = "READ of the object that it names, unless there is none"
    WORD = "one of a few words"
    KIND = "a new registered model"
    SERVER = "no client; the server itself sets it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """A key that the server believes, and ``because`` of what that matters."""

    treatment: Treatment
    because: str
    kind: Kind | None = None
    """Of the object that is named."""
    words: frozenset[str] = frozenset()
    kept: bool = False
    """Whether to delete the tag is as much as to set it."""


def _server(because: str, *, kept: bool = False) -> Believed:
    return Believed(treatment=Treatment.SERVER, because=because, kept=kept)


BELIEVED: Mapping[str, Believed] = {
    "mlflow.artifactLocation": Believed(
        treatment=Treatment.LOCATION, because="the files of a trace are read there", kept=True
    ),
    "mlflow.trace.archiveLocation": _server("the spans of an archived trace are read there", kept=True),
    "mlflow.trace.archivalFailure": _server("it excludes a trace from archiving"),
    "mlflow.trace.archiveNow": _server("the server archives traces at once"),
    "mlflow.trace.spansLocation": Believed(
        treatment=Treatment.WORD,
        because="ARCHIVE_REPO has spans read from the archive",
        # Release 3.6.0's client sends it when it copies a trace.
        words=frozenset({"TRACKING_STORE", "ARTIFACT_REPO"}),
        kept=True,
    ),
    "mlflow.sourceRun": Believed(
        treatment=Treatment.OBJECT, kind=Kind.RUN, because="a search by that run finds the trace"
    ),
    "mlflow.assessment.sourceRunId": Believed(
        treatment=Treatment.OBJECT, kind=Kind.RUN, because="MLflow deletes the assessment with that run"
    ),
    "mlflow.assessment.scorerTraceId": Believed(
        treatment=Treatment.OBJECT, kind=Kind.TRACE, because="pages lead from the assessment to that trace"
    ),
    "mlflow.modelId": Believed(
        treatment=Treatment.OBJECT, kind=Kind.LOGGED_MODEL, because="a search by that model finds the trace"
    ),
    "mlflow.prompt.is_prompt": Believed(
        treatment=Treatment.KIND,
        because="it decides whether the grants of models or those of prompts hold",
        words=frozenset({"true"}),
        kept=True,
    ),
    "mlflow.gateway.endpointId": _server("the cost of a trace counts against the budget of that endpoint"),
    "mlflow.auth.username": _server("the cost of a trace counts against the budget of that user"),
    "mlflow.auth.userId": _server("it says who has called the AI gateway"),
    "mlflow.latestOnlineScoring.trace.checkpoint": _server("jobs score the traces after it"),
    "mlflow.latestOnlineScoring.session.checkpoint": _server("jobs score the sessions after it"),
}

SHOWN: Mapping[str, str] = {
    "clients describe with them where a run comes from": """
        mlflow.autologging mlflow.docker.image.id mlflow.docker.image.uri mlflow.project.backend
        mlflow.project.entryPoint mlflow.project.env mlflow.source.git.branch mlflow.source.git.commit
        mlflow.source.git.diff mlflow.source.git.dirty mlflow.source.git.repoURL mlflow.source.name mlflow.source.type
        mlflow.user mlflow.run.isEval mlflow.runSourceType mlflow.runType mlflow.latest_checkpoint_artifact
        mlflow.genaiEvaluate.agent.digest mlflow.genaiEvaluate.agent.function mlflow.genaiEvaluate.agent.uri
        mlflow.genaiEvaluate.datasetIdentity mlflow.genaiEvaluate.scorersDigest""",
    "pages show them, and ask for what they name as whoever looks": """
        mlflow.runName mlflow.note.content mlflow.parentRunId mlflow.loggedArtifacts mlflow.loggedImages
        mlflow.model.isExternal mlflow.modelVersions mlflow.experiment.isGateway mlflow.experiment.sourceId
        mlflow.experiment.sourceType mlflow.experiment.primaryMetric.name
        mlflow.experiment.primaryMetric.greaterIsBetter mlflow.customView.view mlflow.genaiEvaluate.jobId
        mlflow.issueDetection.jobId mlflow.linkedPrompts mlflow.prompt.associatedRunIds _mlflow_experiment_ids""",
    "MLflow searches by them in what the caller may read": """
        mlflow.data.context mlflow.eval.requestId mlflow.traceName mlflow.traceInputs mlflow.traceOutputs
        mlflow.trace.session mlflow.trace.user mlflow.trace.sizeBytes mlflow.trace.sizeStats mlflow.trace.cost
        mlflow.trace.tokenUsage mlflow.trace.infoFinalized mlflow.trace.sourceScorer mlflow.trace_schema.version
        mlflow.gateway.caller mlflow.gateway.requestType mlflow.assessment.judgeCost
        mlflow.assessment.judgeInputTokens mlflow.assessment.judgeOutputTokens
        mlflow.assessment.onlineScoringSessionId mlflow.assessment.scorerDigest mlflow.assessment.scorerName
        mlflow.assessment.scorerResourceName mlflow.assessment.scorerResourceNameType
        mlflow.assessment.scorerVersion""",
    "they say when MLflow archives the traces of the experiment that has them": """
        mlflow.trace.archivalRetention""",
    "they are the text of the prompt that has them": """
        mlflow.prompt.text _mlflow_prompt_model_config _mlflow_prompt_response_format _mlflow_prompt_type""",
    "they are attributes of spans, which MLflow only stores": """
        mlflow.chat.tokenUsage mlflow.chat.tools mlflow.chunk.value mlflow.experimentId mlflow.llm.cost
        mlflow.gateway.linkedTraceId mlflow.llm.model mlflow.llm.provider mlflow.message.format mlflow.spanDescription
        mlflow.spanFunctionName mlflow.spanInputs mlflow.spanLogLevel mlflow.spanOutputs mlflow.spanStartTimeNs
        mlflow.spanType mlflow.trace.intermediate_outputs mlflow.traceRequestId""",
    "only Databricks reads them": """
        mlflow.databricks.cluster.id mlflow.databricks.gitRepoCommit mlflow.databricks.gitRepoProvider
        mlflow.databricks.gitRepoReference mlflow.databricks.gitRepoReferenceType
        mlflow.databricks.gitRepoRelativePath mlflow.databricks.gitRepoStatus mlflow.databricks.gitRepoUrl
        mlflow.databricks.jobID mlflow.databricks.jobRunID mlflow.databricks.jobType mlflow.databricks.jobTypeInfo
        mlflow.databricks.modelServingEndpointName mlflow.databricks.notebook.commandID
        mlflow.databricks.notebookID mlflow.databricks.notebookPath mlflow.databricks.runURL
        mlflow.databricks.sgc.resumeRun.jobRunId mlflow.databricks.shellJobID mlflow.databricks.shellJobRunID
        mlflow.databricks.webappURL mlflow.databricks.workspaceID mlflow.databricks.workspaceURL
        mlflow.experiment.databricksTelemetryDestinationId mlflow.experiment.databricksTraceAnnotationsTable
        mlflow.experiment.databricksTraceDestinationPath mlflow.experiment.databricksTraceLogStorageTable
        mlflow.experiment.databricksTraceSpanStorageTable""",
}
"""Keys that clients set freely, separated by spaces, by the reason why the server need not judge them."""

_BY_NORMAL = {normal(key): key for key in BELIEVED}


def believed(key: object) -> Believed | None:
    """What MLflow believes of a tag with ``key``; None if nothing.

    Raises ``RefusedError`` if ``key`` is only similar to one that it believes, which a database could take for it.
    """
    if not isinstance(key, str):
        return None
    known = _BY_NORMAL.get(normal(key))
    if known is not None and known != key:
        raise RefusedError(f"the tag {key[:60]!r} is read by the server and is not served in this form")
    return BELIEVED.get(key)


def refuse_deletion(key: str) -> None:
    """Raise ``RefusedError`` if no caller may delete the tag with ``key``."""
    tag = believed(key)
    if tag is not None and tag.kept:
        raise RefusedError(f"the tag {key} cannot be deleted: {tag.because}")
