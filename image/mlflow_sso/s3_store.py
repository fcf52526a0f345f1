"""Objects in S3, reached with the settings of MLflow's own client, or with those of dumps."""

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import RawIOBase
from typing import IO, Any, cast

from mlflow_sso.errors import ProgramError, RetryableError, TerminalError, UsageError
from mlflow_sso.object_store import PAGE, Folder, Level, ObjectStore, Page

REFUSALS = {
    "AccessDenied": "let the policy of the S3 user list the bucket, and get, put and delete its objects",
    "InvalidAccessKeyId": "compare mlflow-s3-secret with the user in the object store",
    "SignatureDoesNotMatch": "compare mlflow-s3-secret with the user in the object store",
    "NoSuchBucket": "create the bucket first: `bootstrap.py minio`",
    "NoSuchKey": "an object that belongs to the dump was deleted: restore an older one",
    "PermanentRedirect": "set AWS_DEFAULT_REGION to the region of the bucket",
    "AuthorizationHeaderMalformed": "set AWS_DEFAULT_REGION to the region of the bucket",
}
"""S3 error codes that another try does not cure."""

PART = 16 << 20
"""Bytes of a part of an upload: S3 allows 10,000 of them, so an object of 160 GB."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key of S3."""

    access_key: str
    secret_key: str = field(repr=False)


class S3Store(ObjectStore):
    """An S3 client with MLflow's own settings, unless others are given; every method raises ``ProgramError``."""

    lists_from_any_key = True

    def __init__(
        self, *, endpoint: str | None = None, region: str | None = None, credentials: Credentials | None = None
    ) -> None:
        own = endpoint is None
        with _settings_explained():
            self._open(own=own, endpoint=endpoint, region=region, credentials=credentials)

    def _open(self, *, own: bool, endpoint: str | None, region: str | None, credentials: Credentials | None) -> None:
        # boto3 takes about half a second to import; programs without a bucket do not wait for it.
        import boto3
        from botocore.config import Config
        from botocore.session import get_session

        self._upload_arguments = json.loads(os.environ.get("MLFLOW_S3_UPLOAD_EXTRA_ARGS") or "{}") if own else {}
        style = os.environ.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", "auto")
        ignore_tls = os.environ.get("MLFLOW_S3_IGNORE_TLS", "").lower() in ("true", "1")
        session = get_session()
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
        self._client = boto3.Session(botocore_session=session).client(
            "s3",
            endpoint_url=endpoint or os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None,
            region_name=region or None,
            aws_access_key_id=credentials.access_key if credentials else None,
            aws_secret_access_key=credentials.secret_key if credentials else None,
            verify=False if ignore_tls else None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": style},
                connect_timeout=10,
                read_timeout=60,
                retries={"max_attempts": 3, "mode": "standard"},
            ),
        )
        if os.environ.get("AWS_REQUEST_CHECKSUM_CALCULATION") == "when_required":
            # A request to delete many must have a checksum; an S3 that knows no newer one wants this.
            self._client.meta.events.register("before-sign.s3.DeleteObjects", _add_md5)

    @property
    def address(self) -> str:
        return os.environ.get("MLFLOW_S3_ENDPOINT_URL") or "AWS"

    def page(self, folder: Folder, *, after: str = "", limit: int = PAGE) -> Page:
        with _explained(folder):
            answer = self._client.list_objects_v2(
                Bucket=folder.bucket, Prefix=folder.prefix, StartAfter=after, MaxKeys=limit
            )
        objects = tuple((item["Key"], item["Size"]) for item in answer.get("Contents", []))
        return Page(objects=objects, is_last=not answer["IsTruncated"])

    def delete_keys(self, folder: Folder, keys: Sequence[str]) -> None:
        names = [{"Key": key} for key in keys]
        with _explained(folder):
            answer = self._client.delete_objects(Bucket=folder.bucket, Delete={"Objects": names, "Quiet": True})
            for error in answer.get("Errors", []):
                raise _refused(folder, error["Code"], error["Message"])

    def levels(self, folder: Folder) -> Iterator[Level]:
        with _explained(folder):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=folder.bucket, Prefix=folder.prefix, Delimiter="/"
            )
            for page in pages:
                yield Level(
                    folders=tuple(folder.at(item["Prefix"]) for item in page.get("CommonPrefixes", [])),
                    sizes=tuple(item["Size"] for item in page.get("Contents", [])),
                )

    def upload(self, folder: Folder, name: str, stream: IO[bytes]) -> None:
        """Store what ``stream`` gives until its end, in parts; nothing is stored if it raises."""
        from boto3.s3.transfer import TransferConfig

        # Each part is held in memory until it was sent, since the stream cannot be read twice.
        transfer = TransferConfig(multipart_chunksize=PART, multipart_threshold=PART, max_concurrency=2)
        with _explained(folder):
            self._client.upload_fileobj(
                stream, folder.bucket, f"{folder.prefix}{name}", Config=transfer, ExtraArgs=self._upload_arguments
            )

    def abort_uploads(self, folder: Folder, is_left: Callable[[str, datetime], bool]) -> int:
        """Abort the unfinished uploads below ``folder`` of which ``is_left`` says so by key and begin; gives how many.

        MinIO lists none by a folder, and deletes them by itself after a day.
        """
        count = 0
        with _explained(folder):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=folder.bucket, Prefix=folder.prefix
            )
            for upload in (upload for page in pages for upload in page.get("Uploads", [])):
                key, begun = upload["Key"], upload["Initiated"]
                if key.startswith(folder.prefix) and is_left(key, begun):
                    self._client.abort_multipart_upload(Bucket=folder.bucket, Key=key, UploadId=upload["UploadId"])
                    count += 1
        return count

    def open(self, folder: Folder, name: str) -> IO[bytes]:
        """What an object holds, as a stream that the caller closes."""
        with _explained(folder):
            answer = self._client.get_object(Bucket=folder.bucket, Key=f"{folder.prefix}{name}")
        body: Any = _Explained(folder, answer["Body"])
        return cast(IO[bytes], body)

    def try_writing(self, folder: Folder, name: str) -> None:
        place, body = {"Bucket": folder.bucket, "Key": f"{folder.prefix}{name}"}, name.encode()
        with _explained(folder):
            self._client.put_object(**place, Body=body, **self._upload_arguments)
            same = self._client.get_object(**place)["Body"].read() == body
            listed = self._client.list_objects_v2(Bucket=folder.bucket, Prefix=place["Key"])["KeyCount"]
            self._client.delete_object(**place)
        if not same or listed != 1:
            raise TerminalError(f"{folder} does not give back what was put there")


class _Explained(RawIOBase):
    """An object's content, whose reading may fail as any other request does."""

    def __init__(self, folder: Folder, body: Any) -> None:
        super().__init__()
        self._folder, self._body = folder, body

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        with _explained(self._folder):
            return bytes(self._body.read(None if size < 0 else size))

    def readinto(self, buffer: Any) -> int:
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        self._body.close()
        super().close()


def _timestamp(text: Any) -> datetime:
    """As botocore reads it, which tries every format that there is: half of the time that a listing takes."""
    if isinstance(text, str) and text[4:5] == "-" and text.endswith("Z"):
        with suppress(ValueError):
            return datetime.fromisoformat(text)
    from botocore.utils import parse_timestamp

    found: datetime = parse_timestamp(text)
    return found


def _add_md5(request: Any, **_: Any) -> None:
    digest = hashlib.md5(request.body or b"", usedforsecurity=False).digest()
    request.headers["Content-MD5"] = base64.b64encode(digest).decode()


@contextmanager
def _settings_explained() -> Iterator[None]:
    """An endpoint, a region, an addressing style, a file of keys or JSON of arguments that cannot be read."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except (BotoCoreError, ValueError) as error:
        raise UsageError(
            f"the settings of the object store cannot be used: {error}",
            remedy="check the endpoint, the region, MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE, MLFLOW_S3_UPLOAD_EXTRA_ARGS "
            "and the mounted s3/credentials",
        ) from None


@contextmanager
def _explained(folder: Folder) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, SSLError

    try:
        yield
    except ClientError as error:
        raise _refused(folder, error.response["Error"].get("Code", ""), str(error)) from None
    except NoCredentialsError as error:
        raise TerminalError(f"cannot use {folder}: {error}", remedy="look at mlflow-s3-secret") from None
    except SSLError as error:
        raise TerminalError(
            f"cannot trust the object store of {folder}: {error}",
            remedy="mount the authority that signed it as ca/ca.crt",
        ) from None
    except BotoCoreError as error:
        raise RetryableError(
            f"cannot reach the object store for {folder}: {error}",
            remedy="check MLFLOW_S3_ENDPOINT_URL, the object store's pods and the NetworkPolicy",
        ) from None


def _refused(folder: Folder, code: str, text: str) -> ProgramError:
    # Garage's words for a key that it does not know.
    if code == "AccessDenied" and "No such key" in text:
        code = "InvalidAccessKeyId"
    if code in REFUSALS:
        return TerminalError(f"the object store refuses {folder}: {text}", remedy=REFUSALS[code])
    return RetryableError(f"the object store failed for {folder}: {text}", remedy="run it again")
