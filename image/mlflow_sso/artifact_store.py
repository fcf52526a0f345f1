"""Which store keeps the artifacts: S3, or Azure Blob Storage."""

from mlflow_sso.object_store import Folder, ObjectStore


def artifact_store(folder: Folder) -> ObjectStore:
    """The store that keeps ``folder``, reached as MLflow's server reaches it."""
    # Each imports what its client needs when it is created; an image without Azure's clients never asks for them.
    if folder.is_blob:
        from mlflow_sso.blob_store import BlobStore

        return BlobStore(folder)
    from mlflow_sso.s3_store import S3Store

    return S3Store()
