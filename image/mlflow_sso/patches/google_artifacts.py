"""Artifacts in Google Cloud Storage, with what MLflow's own repository of them lacks.

Of a bucket it lists nothing at the top, deletes ``model2`` with ``model`` (3.6.0), calls a missing file a failure of
the server, holds a hundred megabytes of each transfer in memory, and gives clients addresses with signatures that hold
for an hour. Its client waits two minutes for a bucket that is away, and would take any identity that it finds, or none.
"""

import posixpath
from typing import Any, NoReturn

from mlflow_sso.google_client import TIMEOUT, retry, storage_client
from mlflow_sso.google_store import GoogleStore
from mlflow_sso.object_store import Folder, google_folder
from mlflow_sso.patches.downloads import reserve_room

CHUNK = 8 << 20
"""Bytes of a request of a larger upload, held in memory; a multiple of 256 KiB (Google, "Resumable uploads")."""


def serve_google_artifacts() -> None:
    """Let locations ``gs:`` be read and written by ``GoogleArtifacts`` in the place of MLflow's own class."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry
    from mlflow.store.artifact.gcs_artifact_repo import GCSArtifactRepository

    own = type("GCSArtifactRepository", (GoogleArtifacts, GCSArtifactRepository), {})
    _artifact_repository_registry.register("gs", own)


class GoogleArtifacts:
    """What this server does in another way than the class that it stands before."""

    client: Any

    def __init__(self, artifact_uri: str, *arguments: Any, **named: Any) -> None:
        self._folder = _folder(artifact_uri)
        super().__init__(artifact_uri, storage_client(), *arguments, **named)  # type: ignore[call-arg]
        self._options = {"timeout": TIMEOUT, "retry": retry()}

    @staticmethod
    def parse_gcs_uri(uri: str) -> tuple[str, str]:
        """Bucket and path."""
        folder = _folder(uri)
        return folder.bucket, folder.prefix.removesuffix("/")

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Store a file under its name in ``artifact_path``; Google compares the checksum of what arrives."""
        key = self._key(posixpath.join(artifact_path or "", posixpath.basename(local_file)))
        self._bucket.blob(key, chunk_size=CHUNK).upload_from_filename(local_file, **self._options)

    def list_artifacts(self, path: str | None = None) -> list[Any]:
        """What is right in ``path``, or at the top."""
        from mlflow.entities import FileInfo

        place = self._folder / path if path else self._folder
        infos, folders = [], set()
        for page in self._bucket.list_blobs(prefix=place.prefix or None, delimiter="/", **self._options).pages:
            infos += [FileInfo(self._name(blob.name), False, blob.size) for blob in page if blob.name != place.prefix]
            folders.update(page.prefixes)
        infos += [FileInfo(self._name(prefix), True, None) for prefix in folders]
        return sorted(infos, key=lambda info: str(info.path))

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Delete the file ``artifact_path``, and what is below a folder of this name."""
        store = GoogleStore(self._folder)
        if artifact_path:
            store.delete_keys(self._folder, [self._key(artifact_path)])
        for page in store.pages(self._folder / artifact_path if artifact_path else self._folder):
            store.delete_keys(self._folder, [key for key, _ in page.objects])

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None, **options: Any) -> Any:
        """Ask for the file and its size first, as ``downloads`` does of S3."""
        reserve_room(lambda: self._size(artifact_path))
        return super().download_artifacts(artifact_path, dst_path, **options)  # type: ignore[misc]

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        # Without a chunk size it is written as it comes, and its checksum is compared at the end.
        self._bucket.blob(self._key(remote_file_path)).download_to_filename(local_path, **self._options)

    def create_multipart_upload(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse, at which clients send the file whole."""
        from mlflow.exceptions import _UnsupportedMultipartUploadException

        raise _UnsupportedMultipartUploadException

    complete_multipart_upload = abort_multipart_upload = create_multipart_upload

    @property
    def _bucket(self) -> Any:
        return self.client.bucket(self._folder.bucket)

    def _key(self, path: str) -> str:
        return f"{self._folder.prefix}{path}"

    def _name(self, key: str) -> str:
        return key.removeprefix(self._folder.prefix).rstrip("/")

    def _size(self, path: str) -> int:
        """In bytes; raises MLflow's exception if there is no such object."""
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
        from requests.exceptions import RequestException

        try:
            found = self._bucket.get_blob(self._key(path), **self._options)
        except (GoogleAPIError, GoogleAuthError, RequestException):
            # The download itself meets the error again, and MLflow answers that.
            return 0
        if found is None:
            raise MlflowException(f"no such artifact: {path[:200]}", RESOURCE_DOES_NOT_EXIST)
        return int(found.size)


def _folder(uri: str) -> Folder:
    """Of a location; raises MLflow's exception for text that is none."""
    from mlflow.exceptions import MlflowException

    folder = google_folder(uri)
    if folder is None:
        raise MlflowException.invalid_parameter_value(f"not a location in Google Cloud Storage: {uri[:80]}")
    return folder
