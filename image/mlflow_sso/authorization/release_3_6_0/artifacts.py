"""Routes of artifacts: the proxy that clients use, and what pages download."""

from mlflow_sso.authorization.rules import (
    AJAX,
    Body,
    Form,
    Kind,
    Where,
    edits,
    has,
    manages,
    reads,
    refused,
    rest,
    route,
)

PROXY = "/mlflow-artifacts/artifacts"
FILE = f"{PROXY}/<path:artifact_path>"
PATH = has(Form.RELATIVE_PATH, "path")
IN_PARTS = refused("uploads in parts are given out as addresses of the object store; clients upload in one piece")

ROUTES = (
    rest("GET", PROXY, reads(Kind.ARTIFACT, "path")),
    rest("GET", FILE, reads(Kind.ARTIFACT, "artifact_path", where=Where.PATH)),
    rest("PUT", FILE, edits(Kind.ARTIFACT, "artifact_path", where=Where.PATH), body=Body.FILE),
    rest("DELETE", FILE, manages(Kind.ARTIFACT, "artifact_path", where=Where.PATH)),
    rest("POST", "/mlflow-artifacts/mpu/create/<path:artifact_path>", IN_PARTS),
    rest("POST", "/mlflow-artifacts/mpu/complete/<path:artifact_path>", IN_PARTS),
    rest("POST", "/mlflow-artifacts/mpu/abort/<path:artifact_path>", IN_PARTS),
    rest("GET", "/mlflow/artifacts/list", reads(Kind.RUN, "run_id", also=("run_uuid",)) & PATH),
    route("GET", "/get-artifact", reads(Kind.RUN, "run_id", also=("run_uuid",)) & PATH),
    route("GET", "/model-versions/get-artifact",
          reads(Kind.REGISTERED_MODEL, "name") & has(Form.NAMED, "version") & PATH),
    rest("POST", "/mlflow/upload-artifact", refused("the prompt laboratory needs an AI gateway"), prefixes=AJAX),
    rest("GET", "/mlflow/logged-models/<model_id>/artifacts/directories",
         reads(Kind.LOGGED_MODEL, "model_id", where=Where.PATH) & has(Form.RELATIVE_PATH, "artifact_directory_path")),
    rest("GET", "/mlflow/logged-models/<model_id>/artifacts/files",
         reads(Kind.LOGGED_MODEL, "model_id", where=Where.PATH) & has(Form.RELATIVE_PATH, "artifact_file_path"),
         prefixes=AJAX),
    rest("GET", "/mlflow/get-trace-artifact", reads(Kind.TRACE, "request_id"), prefixes=AJAX),
)  # fmt: skip
