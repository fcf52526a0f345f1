"""The client of Azure Blob Storage, for the server's artifacts and for programs: by an account key, or an identity."""

import logging
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mlflow_sso.errors import TerminalError

KEY_FILE = "MLFLOW_SSO_BLOB_KEY_FILE"
"""Environment variable: the file with the key of the storage account."""

ENDPOINT = "MLFLOW_SSO_BLOB_ENDPOINT"
"""Environment variable: address of the account's Blob service, if it is not https and the host of the location."""

IDENTITY = ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID")
"""What AKS gives to a pod with a workload identity (Microsoft, "Workload Identity webhook")."""


def blob_service(host: str) -> Any:
    """A client of the account at ``host``, shared by all threads; raises ``TerminalError`` if none can be made."""
    return _client(host, endpoint(host))


def endpoint(host: str) -> str:
    """Address of the Blob service of the account at ``host``."""
    return os.environ.get(ENDPOINT) or f"https://{host}"


def require_clients() -> None:
    """Raise ``TerminalError`` in an image that was built without the clients."""
    try:
        # Only looked for, since importing them takes half a second.
        found = all(map(find_spec, ("azure.storage.blob", "azure.identity")))
    except ModuleNotFoundError:
        found = False
    if not found:
        raise TerminalError(
            "this image has no client for Azure Blob Storage", remedy="build it with IMAGE_STORES=azure"
        )


@lru_cache(maxsize=16)
def _client(host: str, address: str) -> Any:
    require_clients()
    from azure.storage.blob import BlobServiceClient, ExponentialRetry

    # It logs each request with its headers.
    logging.getLogger("azure").setLevel(logging.WARNING)
    return BlobServiceClient(
        address,
        credential=_credential(host.partition(".")[0]),
        connection_timeout=10,
        read_timeout=60,
        # By default it waits for a minute and a half before it says that the account cannot be reached.
        retry_policy=ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=2),
    )


def _credential(account: str) -> Any:
    file = os.environ.get(KEY_FILE)
    if file:
        return {"account_name": account, "account_key": _key(Path(file))}
    if lacking := [name for name in IDENTITY if not os.environ.get(name)]:
        raise TerminalError(
            f"the pod has neither an account key nor an identity: {', '.join(lacking)} not set",
            remedy="mount mlflow-azure-secret, or give the ServiceAccount a workload identity",
        )
    from azure.identity import WorkloadIdentityCredential

    # Of this kind only: DefaultAzureCredential would ask the node for its own identity as well.
    return WorkloadIdentityCredential()


def _key(file: Path) -> str:
    try:
        key = file.read_text(encoding="utf-8").strip()
    except OSError:
        key = ""
    if not key:
        raise TerminalError(
            f"{file} is missing or empty: it comes from mlflow-azure-secret", remedy="look at mlflow-azure-secret"
        )
    return key
