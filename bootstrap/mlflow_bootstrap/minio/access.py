"""Whether MLflow's keys can do with a bucket of another S3 what MLflow does."""

import secrets
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from minio import Minio

from mlflow_bootstrap.context import Context
from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import MissingError, RefusedError
from mlflow_bootstrap.minio.connection import ObjectStore, stored_keys
from mlflow_bootstrap.minio.user import NOWHERE

_HEADERS = {
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
}
"""Source: Amazon S3 API Reference, "PutObject"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A check that owns nothing: a listing, and where ``context.probe`` allows it, an object written and removed."""

    store: ObjectStore
    bucket: str
    context: Context
    depends_on: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``minio/access/BUCKET``."""
        return f"minio/access/{self.bucket}"

    @property
    def desired(self) -> State:
        """Nothing that could be written."""
        return {}

    def read(self) -> State | None:
        """Try it.

        Raises:
            MissingError: the keys are not set yet.
            RefusedError: the keys, or a right, are wrong.
        """
        keys = stored_keys(self.context)
        if keys is None:
            raise MissingError(
                "no keys of the bucket are in the store",
                remedy="set MLFLOW_S3_ACCESSKEY and MLFLOW_S3_SECRETKEY, and run `bootstrap.py secrets`",
            )
        client = self.store.s3_as(keys)
        steps = {"list": self._list}
        # A plan writes nothing, not even for a moment.
        if self.context.probe:
            steps |= {"put, get or delete": self._round_trip}
        for what, step in steps.items():
            self.store.call_as("the keys of the store", what, partial(step, client))
        return {}

    @property
    def _nowhere(self) -> str:
        return f"{self.store.settings.artifacts.folder}{NOWHERE}"

    @property
    def _encryption(self) -> dict[str, str | list[str] | tuple[str]]:
        """Headers by which the server's uploads ask for encryption; minio's SseKMS always names a key."""
        asked = self.store.settings.artifacts.upload_arguments
        return {_HEADERS[name]: value for name, value in asked.items()}

    def _list(self, client: Minio) -> None:
        # The listing is lazy: the request is sent when the first object is asked for.
        next(iter(client.list_objects(self.bucket, prefix=self._nowhere)), None)

    def _round_trip(self, client: Minio) -> None:
        name, content = f"{self._nowhere}{secrets.token_hex(8)}", secrets.token_bytes(16)
        version = client.put_object(
            self.bucket, name, BytesIO(content), len(content), metadata=self._encryption
        ).version_id
        try:
            answer = client.get_object(self.bucket, name)
            same = answer.read() == content
            answer.close()
            answer.release_conn()
        finally:
            # By version: in a bucket that keeps versions, a plain delete would leave the object and a marker.
            client.remove_object(self.bucket, name, version_id=version)
        if not same:
            raise RefusedError(f"{self.bucket} gave back other bytes than were put", remedy="look into the store")

    def create(self) -> None:
        """Nothing to make."""

    def update(self, current: State) -> None:
        """Nothing to change."""
