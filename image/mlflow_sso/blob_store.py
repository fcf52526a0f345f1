"""Objects in Azure Blob Storage, in a container of a storage account with a flat namespace."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from mlflow_sso.blob_client import blob_service, endpoint
from mlflow_sso.errors import ProgramError, RetryableError, TerminalError
from mlflow_sso.object_store import PAGE, Folder, Level, ObjectStore, Page

BATCH = 256
"""Blobs that one request deletes at most (Microsoft, REST API, "Blob Batch")."""

_ACCESS = (
    "let the identity read and write blobs of the container (Storage Blob Data Contributor), "
    "or compare mlflow-azure-secret with a key of the account"
)
REFUSALS = {
    "ContainerNotFound": "create the container first: it is yours",
    "AuthenticationFailed": "compare mlflow-azure-secret with a key of the account, and the clock of the node",
    "AuthorizationFailure": f"{_ACCESS}; look at the network rules of the account too",
    "AuthorizationPermissionMismatch": _ACCESS,
    "InsufficientAccountPermissions": _ACCESS,
    "KeyBasedAuthenticationNotPermitted": "set artifacts.credentials to service-account, or allow keys in the account",
    "AccountIsDisabled": "enable the storage account",
}
"""Error codes that another try does not cure."""


class BlobStore(ObjectStore):
    """The container that ``folder`` is in, with the client of MLflow's server; every method raises ``ProgramError``."""

    lists_from_any_key = False

    def __init__(self, folder: Folder) -> None:
        container, _, host = folder.bucket.partition("@")
        self._address = endpoint(host)
        self._service = blob_service(host)
        self._container = self._service.get_container_client(container)
        self._marks: dict[tuple[str, str], str] = {}
        """Where a listing of a folder continues after its last key; Azure begins at no key of ours."""

    @property
    def address(self) -> str:
        return self._address

    def page(self, folder: Folder, *, after: str = "", limit: int = PAGE) -> Page:
        mark = self._marks.pop((folder.prefix, after), None)
        with _explained(folder):
            while True:
                pages = self._container.list_blobs(name_starts_with=folder.prefix, results_per_page=limit).by_page(mark)
                found = list(next(pages, []))
                objects = tuple((blob.name, blob.size) for blob in found if blob.name > after)
                mark = pages.continuation_token or None
                # Azure may answer with an empty page that is not the last.
                if objects or not mark:
                    break
        if mark and objects:
            self._marks[folder.prefix, objects[-1][0]] = mark
        return Page(objects=objects, is_last=not mark)

    def delete_keys(self, folder: Folder, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            with _explained(folder):
                answers = self._container.delete_blobs(*some, delete_snapshots="include", raise_on_any_failure=False)
                for answer in answers:
                    if answer.status_code not in (202, 404):
                        raise _refused(folder, answer.headers.get("x-ms-error-code", ""), f"{answer.status_code}")

    def levels(self, folder: Folder) -> Iterator[Level]:
        from azure.storage.blob import BlobPrefix

        with _explained(folder):
            pages = self._container.walk_blobs(name_starts_with=folder.prefix, delimiter="/", results_per_page=PAGE)
            for page in pages.by_page():
                found = list(page)
                yield Level(
                    folders=tuple(folder.at(item.name) for item in found if isinstance(item, BlobPrefix)),
                    sizes=tuple(item.size for item in found if not isinstance(item, BlobPrefix)),
                )

    def try_writing(self, folder: Folder, name: str) -> None:
        self._require_flat(folder)
        key, body = f"{folder.prefix}{name}", name.encode()
        with _explained(folder):
            blob = self._container.get_blob_client(key)
            blob.upload_blob(body)
            same = blob.download_blob().readall() == body
            listed = [found.name for found in self._container.list_blobs(name_starts_with=key)]
            blob.delete_blob(delete_snapshots="include")
        if not same or listed != [key]:
            raise TerminalError(f"{folder} does not give back what was put there")

    def _require_flat(self, folder: Folder) -> None:
        """Raise ``TerminalError`` for an account whose folders are objects themselves."""
        from azure.core.exceptions import AzureError

        # Not every role may ask; the other steps then say what is wrong.
        with suppress(AzureError):
            if self._service.get_account_information().get("is_hns_enabled"):
                raise TerminalError(
                    f"the account of {folder} has a hierarchical namespace",
                    remedy="create a storage account without it (Data Lake Storage Gen2) and copy the blobs",
                )


@contextmanager
def _explained(folder: Folder) -> Iterator[None]:
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except ClientAuthenticationError as error:
        raise TerminalError(
            f"cannot log in for {folder}: {_line(error)}",
            remedy="compare mlflow-azure-secret with a key of the account, or the identity's federated credential with "
            "the ServiceAccount",
        ) from None
    except HttpResponseError as error:
        raise _refused(folder, _code(error), _line(error)) from None
    except AzureError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise TerminalError(
                f"cannot trust the object store of {folder}: {_line(error)}",
                remedy="mount the authority that signed it as ca/ca.crt",
            ) from None
        raise RetryableError(
            f"cannot reach the object store for {folder}: {_line(error)}",
            remedy="check the name of the account, its network rules and the NetworkPolicy",
        ) from None


def _code(error: Any) -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _line(error: Any) -> str:
    """The first line of an error, which goes on with the identifiers of the request."""
    return str(error).partition("\n")[0]


def _refused(folder: Folder, code: str, text: str) -> ProgramError:
    if code in REFUSALS:
        return TerminalError(f"the object store refuses {folder}: {code}: {text}", remedy=REFUSALS[code])
    return RetryableError(f"the object store failed for {folder}: {text}", remedy="run it again")
