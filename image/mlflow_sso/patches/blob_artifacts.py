"""Artifacts in Azure Blob Storage, with what MLflow's own repository of them lacks.

Of a container it lists nothing at the top, deletes ``model2`` with ``model`` (3.6.0), calls a missing file a failure of
the server, and gives clients addresses with signatures that hold for an hour. Its client waits a minute and a half for
an account that is away, and would take any identity that it finds.
"""

import posixpath
from contextlib import suppress
from typing import Any, NoReturn

from mlflow_sso.blob_client import blob_service
from mlflow_sso.object_store import Folder, blob_folder, destination
from mlflow_sso.patches.downloads import reserve_room


def serve_blob_artifacts() -> None:
    """Let locations ``wasbs:`` be read and written by ``BlobArtifacts`` in the place of MLflow's own class."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry
    from mlflow.store.artifact.azure_blob_artifact_repo import AzureBlobArtifactRepository

    own = type("BlobArtifactRepository", (BlobArtifacts, AzureBlobArtifactRepository), {})
    _artifact_repository_registry.register("wasbs", own)


class BlobArtifacts:
    """What this server does in another way than the class that it stands before."""

    client: Any

    def __init__(self, artifact_uri: str, *arguments: Any, **named: Any) -> None:
        self._folder = _folder(artifact_uri)
        client = blob_service(self._folder.bucket.partition("@")[2])
        super().__init__(artifact_uri, client, *arguments, **named)  # type: ignore[call-arg]

    @staticmethod
    def parse_wasbs_uri(uri: str) -> tuple[str, str, str, str]:
        """Container, account, path, and the end of the host."""
        folder = _folder(uri)
        container, _, host = folder.bucket.partition("@")
        account, _, suffix = host.partition(".")
        return container, account, folder.prefix.removesuffix("/"), suffix

    def list_artifacts(self, path: str | None = None) -> list[Any]:
        """What is right in ``path``, or at the top."""
        from mlflow.entities import FileInfo

        place = self._folder / path if path else self._folder
        found = self._container.walk_blobs(name_starts_with=place.prefix, delimiter="/")
        named = [(item.name.removeprefix(self._folder.prefix), item) for item in found if item.name != place.prefix]
        infos = (FileInfo(name.rstrip("/"), name.endswith("/"), getattr(item, "size", None)) for name, item in named)
        return sorted(infos, key=lambda info: str(info.path))

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Delete the file ``artifact_path``, and what is below a folder of this name."""
        if artifact_path:
            self._delete(self._key(artifact_path))
        place = self._folder / artifact_path if artifact_path else self._folder
        for found in self._container.list_blobs(name_starts_with=place.prefix):
            self._delete(found.name)

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None, **options: Any) -> Any:
        """Ask for the file and its size first, as ``downloads`` does of S3."""
        reserve_room(lambda: _size(self._container.get_blob_client(self._key(artifact_path)), artifact_path))
        return super().download_artifacts(artifact_path, dst_path, **options)  # type: ignore[misc]

    def create_multipart_upload(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse, at which clients send the file whole."""
        from mlflow.exceptions import _UnsupportedMultipartUploadException

        raise _UnsupportedMultipartUploadException

    complete_multipart_upload = abort_multipart_upload = create_multipart_upload

    @property
    def _container(self) -> Any:
        return self.client.get_container_client(self._folder.bucket.partition("@")[0])

    def _key(self, path: str) -> str:
        return posixpath.join(self._folder.prefix, path)

    def _delete(self, key: str) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        with suppress(ResourceNotFoundError):
            self._container.delete_blob(key, delete_snapshots="include")


def _folder(uri: str) -> Folder:
    """Of a location; raises MLflow's exception for one that this server has no credentials for."""
    from mlflow.exceptions import MlflowException

    folder = blob_folder(uri)
    if folder is None:
        raise MlflowException.invalid_parameter_value(f"not a location in Azure Blob Storage: {uri[:80]}")
    own = destination().bucket.partition("@")[2]
    if folder.bucket.partition("@")[2] != own:
        raise MlflowException.invalid_parameter_value(f"this server reads blobs of {own or 'no account'} only")
    return folder


def _size(blob: Any, path: str) -> int:
    """In bytes; raises MLflow's exception if there is no such blob."""
    from azure.core.exceptions import AzureError, ResourceNotFoundError
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

    try:
        return int(blob.get_blob_properties().size)
    except ResourceNotFoundError:
        raise MlflowException(f"no such artifact: {path[:200]}", RESOURCE_DOES_NOT_EXIST) from None
    except AzureError:
        # The download itself meets any other error again, and MLflow answers that.
        return 0
