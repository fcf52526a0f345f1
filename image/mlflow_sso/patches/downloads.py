"""Asks for an artifact and its size before MLflow copies it to the temporary directory, on its way to the client."""

from collections.abc import Callable
from typing import Any

from mlflow_sso.patches.untried_logins import busy


def reserve_room_for_downloads() -> None:
    """Let a download for which there is no room be answered with 503, as long as others take it."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository

    download = S3ArtifactRepository.download_artifacts

    def download_with_room(self: Any, artifact_path: str, dst_path: str | None = None, **options: Any) -> Any:
        reserve_room(lambda: _size(self, artifact_path))
        return download(self, artifact_path, dst_path, **options)

    S3ArtifactRepository.download_artifacts = download_with_room


def reserve_room(size: Callable[[], int]) -> None:
    """Raises MLflow's exception if there is no room for ``size`` bytes, which is asked for a request only."""
    request = busy.get()
    if request is not None:
        _reserve(request, size())


def _size(repository: Any, artifact_path: str) -> int:
    """In bytes; raises MLflow's exception if there is no such object, of which MLflow says that the server failed."""
    import posixpath

    from botocore.exceptions import ClientError
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

    bucket, root = repository.parse_s3_compliant_uri(repository.artifact_uri)
    try:
        found = repository._get_s3_client().head_object(Bucket=bucket, Key=posixpath.join(root, artifact_path))
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
            raise MlflowException(f"no such artifact: {artifact_path[:200]}", RESOURCE_DOES_NOT_EXIST) from None
        # The download itself meets any other error again, and MLflow answers that.
        return 0
    return int(found["ContentLength"])


def _reserve(request: Any, size: int) -> None:
    """Raises MLflow's exception for what is unavailable now, or too large ever."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, TEMPORARILY_UNAVAILABLE

    limit = request.disk.limit
    if limit is not None and size > limit:
        raise MlflowException(
            f"artifacts above {limit} bytes do not pass this server; raise server.tmp_size", INVALID_PARAMETER_VALUE
        )
    if not request.disk.grow(size):
        raise MlflowException("no room for the artifact now; try again", TEMPORARILY_UNAVAILABLE)
