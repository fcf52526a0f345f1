"""Files of runs, logged models, model versions and traces, and the proxy of the artifact store, of MLflow 3.17.2."""

from mlflow_sso.authorization.rules import (
    AJAX,
    Body,
    Form,
    Kind,
    Where,
    edits,
    either,
    has,
    manages,
    reads,
    rest,
    route,
)

PROXY = "/mlflow-artifacts/artifacts/<path:artifact_path>"
PATH = has(Form.RELATIVE_PATH, "path")

PROXIED = (
    # Of the root, only the folders of experiments that the caller may read.
    rest(
        "GET",
        "/mlflow-artifacts/artifacts",
        reads(Kind.ARTIFACT, "path", optional=True).listing(Kind.EXPERIMENT) & PATH,
    ),
    rest("GET", PROXY, reads(Kind.ARTIFACT, "artifact_path", where=Where.PATH)),
    rest("PUT", PROXY, edits(Kind.ARTIFACT, "artifact_path", where=Where.PATH), body=Body.FILE),
    rest("DELETE", PROXY, manages(Kind.ARTIFACT, "artifact_path", where=Where.PATH)),
    *(
        rest(
            "POST",
            f"/mlflow-artifacts/mpu/{step}/<path:artifact_path>",
            edits(Kind.ARTIFACT, "artifact_path", where=Where.PATH)
            & has(Form.FILE_NAME, "path", where=Where.BODY)
            & has(Form.PART_COUNT, "num_parts", where=Where.BODY),
        )
        for step in ("create", "complete", "abort")
    ),
    rest(
        "GET",
        "/mlflow-artifacts/presigned/<path:artifact_path>",
        reads(Kind.ARTIFACT, "artifact_path", where=Where.PATH),
    ),
)

OF_OBJECTS = (
    rest("GET", "/mlflow/artifacts/list", reads(Kind.RUN, "run_id", also=("run_uuid",)) & PATH),
    rest("POST", "/mlflow/artifacts/presigned-download-url", reads(Kind.RUN, "run_id")),
    rest(
        "POST",
        "/mlflow/artifacts/presigned-upload-url",
        either(edits(Kind.RUN, "run_id"), edits(Kind.LOGGED_MODEL, "model_id")),
    ),
    route("GET", "/get-artifact", reads(Kind.RUN, "run_id", also=("run_uuid",)) & PATH),
    rest(
        "POST",
        "/mlflow/upload-artifact",
        edits(Kind.RUN, "run_uuid", where=Where.QUERY) & has(Form.RELATIVE_PATH, "path", where=Where.QUERY),
        prefixes=AJAX,
        body=Body.FILE,
    ),
    route(
        "GET", "/model-versions/get-artifact", reads(Kind.REGISTERED_MODEL, "name") & has(Form.NAMED, "version") & PATH
    ),
    rest(
        "GET",
        "/mlflow/logged-models/<model_id>/artifacts/directories",
        reads(Kind.LOGGED_MODEL, "model_id", where=Where.PATH) & has(Form.RELATIVE_PATH, "artifact_directory_path"),
    ),
    rest(
        "GET",
        "/mlflow/logged-models/<model_id>/artifacts/files",
        reads(Kind.LOGGED_MODEL, "model_id", where=Where.PATH) & has(Form.RELATIVE_PATH, "artifact_file_path"),
        prefixes=AJAX,
    ),
    rest("GET", "/mlflow/get-trace-artifact", reads(Kind.TRACE, "request_id"), prefixes=AJAX, versions=("2.0", "3.0")),
)

ROUTES = (*PROXIED, *OF_OBJECTS)
