"""Which store keeps the artifacts: S3, Azure Blob Storage, or Google Cloud Storage."""

from mlflow_sso.object_store import Folder, ObjectStore


def artifact_store(folder: Folder) -> ObjectStore:
    """The store that keeps ``folder``, reached as MLflow's server reaches it."""
    # Each imports what its client needs when it is created; an image without those of a cloud never asks for them.
    if folder.is_blob:
        from mlflow_sso.blob_store import BlobStore

        return BlobStore(folder)
    if folder.is_google:
        from mlflow_sso.google_store import GoogleStore

        return GoogleStore(folder)
    from mlflow_sso.s3_store import S3Store

    return S3Store()
