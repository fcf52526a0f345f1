"""Objects in Google Cloud Storage, by its JSON API."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from mlflow_sso.errors import ProgramError, RetryableError, TerminalError
from mlflow_sso.google_batch import BATCH, delete_together
from mlflow_sso.google_client import TIMEOUT, endpoint, retry, storage_client
from mlflow_sso.object_store import PAGE, Folder, Level, ObjectStore, Page

REFUSALS = {
    401: "compare mlflow-gcs-secret with the keys of the service account",
    403: "let the service account read and write objects of the bucket (Storage Object User), and look at what the "
    "bucket retains",
    404: "create the bucket first: it is yours",
}
"""Codes that another try does not cure."""


class GoogleStore(ObjectStore):
    """The bucket that ``folder`` is in, with the client of MLflow's server; every method raises ``ProgramError``."""

    lists_from_any_key = True

    def __init__(self, folder: Folder) -> None:
        self._client = storage_client()
        self._bucket = self._client.bucket(folder.bucket)
        self._options = {"timeout": TIMEOUT, "retry": retry()}

    @property
    def address(self) -> str:
        return endpoint()

    def page(self, folder: Folder, *, after: str = "", limit: int = PAGE) -> Page:
        with _explained(folder):
            # A listing begins at a key and not after it.
            listing = self._list(folder.prefix, start_offset=after or None, page_size=limit)
            for found in listing.pages:
                objects = tuple((blob.name, blob.size) for blob in found if blob.name > after)
                if objects:
                    return Page(objects=objects, is_last=not listing.next_page_token)
        return Page(objects=(), is_last=True)

    def delete_keys(self, folder: Folder, keys: Sequence[str]) -> None:
        with _explained(folder):
            for start in range(0, len(keys), BATCH):
                self._delete(keys[start : start + BATCH])

    def levels(self, folder: Folder) -> Iterator[Level]:
        with _explained(folder):
            for page in self._list(folder.prefix, delimiter="/", page_size=PAGE).pages:
                sizes = tuple(blob.size for blob in page)
                yield Level(folders=tuple(map(folder.at, sorted(page.prefixes))), sizes=sizes)

    def try_writing(self, folder: Folder, name: str) -> None:
        key, body = f"{folder.prefix}{name}", name.encode()
        with _explained(folder):
            self._bucket.blob(key).upload_from_string(body, **self._options)
            same = self._bucket.blob(key).download_as_bytes(**self._options) == body
            listed = [blob.name for blob in self._list(key)]
            self._delete([key])
        if not same or listed != [key]:
            raise TerminalError(f"{folder} does not give back what was put there")

    def _list(self, prefix: str, **options: Any) -> Any:
        fields = "items(name,size),prefixes,nextPageToken"
        return self._bucket.list_blobs(prefix=prefix or None, fields=fields, **options, **self._options)

    def _delete(self, keys: Sequence[str]) -> None:
        """Delete at most ``BATCH`` objects."""
        from google.api_core.exceptions import NotFound

        if self._options["retry"](delete_together)(self._client, self._bucket.name, keys):
            return
        # An emulator, or a gateway to Google, may know no batches.
        for key in keys:
            with suppress(NotFound):
                self._bucket.delete_blob(key, **self._options)


@contextmanager
def _explained(folder: Folder) -> Iterator[None]:
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
    from requests.exceptions import RequestException

    try:
        yield
    except RetryError as error:
        raise _problem(folder, error.cause or error) from None
    except (GoogleAPICallError, GoogleAuthError, InvalidResponse, DataCorruption, RequestException) as error:
        raise _problem(folder, error) from None


def _problem(folder: Folder, error: BaseException) -> ProgramError:
    """What ``error`` of Google's client means; its first line, since pages of JSON may follow."""
    from google.auth.exceptions import GoogleAuthError, TransportError
    from requests.exceptions import RequestException

    line = str(error).partition("\n")[0][:400]
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return TerminalError(
            f"cannot trust the object store of {folder}: {line}",
            remedy="mount the authority that signed it as ca/ca.crt",
        )
    # The metadata server's absence is told as a refused login, with the reason inside.
    if any(isinstance(reason, TransportError) for reason in (error, error.__cause__, *error.args)):
        return RetryableError(
            f"cannot reach the service that hands out tokens for {folder}: {line}",
            remedy="check the NetworkPolicy, and on GKE whether the node pool has the metadata server",
        )
    if isinstance(error, GoogleAuthError):
        return TerminalError(
            f"cannot log in for {folder}: {line}",
            remedy="compare mlflow-gcs-secret with the keys of the service account, or the ServiceAccount with the "
            "identity that may use the bucket",
        )
    if isinstance(error, RequestException | ConnectionError):
        return RetryableError(
            f"cannot reach the object store for {folder}: {line}",
            remedy="check artifacts.endpoint, its network and the NetworkPolicy",
        )
    code = getattr(error, "code", None) or getattr(getattr(error, "response", None), "status_code", None)
    if code in REFUSALS:
        return TerminalError(f"the object store refuses {folder}: {line}", remedy=REFUSALS[code])
    return RetryableError(f"the object store failed for {folder}: {line}", remedy="run it again")
