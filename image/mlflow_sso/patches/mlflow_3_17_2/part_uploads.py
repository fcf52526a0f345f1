"""Answers with what the object store says is wrong with an upload in parts, of which MLflow says that it has failed."""

from functools import wraps
from typing import Any

STEPS = ("create_multipart_upload", "complete_multipart_upload", "abort_multipart_upload")


def tell_refused_uploads() -> None:
    """Let an unknown upload, or a part that was not sent, be an error of the client's."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from botocore.exceptions import ClientError
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
    from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository

    def told(step: Any) -> Any:
        @wraps(step)
        def asked(*arguments: Any, **named: Any) -> Any:
            try:
                return step(*arguments, **named)
            except ClientError as error:
                code, status = error.response["Error"].get("Code"), error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status not in (400, 404):
                    raise
                raise MlflowException(f"the object store refuses the upload: {code}", INVALID_PARAMETER_VALUE) from None

        return asked

    for name in STEPS:
        setattr(S3ArtifactRepository, name, told(getattr(S3ArtifactRepository, name)))
