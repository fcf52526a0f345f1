"""The client of Google Cloud Storage, for server and programs: by a service account's key, or an identity of GKE."""

import json
import os
import warnings
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mlflow_sso.errors import TerminalError

KEY_FILE = "MLFLOW_SSO_GCS_KEY_FILE"
"""Environment variable: the file with the key of a service account, in JSON."""

IDENTITY = "MLFLOW_SSO_GCS_IDENTITY"
"""Environment variable: "true" if GKE's metadata server hands out tokens, so that there is no key."""

ENDPOINT = "MLFLOW_SSO_GCS_ENDPOINT"
"""Environment variable: address of the JSON API, if it is not Google's own."""

TIMEOUT = (10, 60)
"""Seconds until a connection stands, and between two pieces of an answer."""

_NEEDED = ("client_email", "private_key", "token_uri")
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"


def endpoint() -> str:
    """Address of the JSON API."""
    return os.environ.get(ENDPOINT, "").rstrip("/") or "https://storage.googleapis.com"


def storage_client() -> Any:
    """A client shared by all threads; raises ``TerminalError`` if none can be made."""
    identity = os.environ.get(IDENTITY) == "true"
    return _client(endpoint(), "" if identity else os.environ.get(KEY_FILE, ""))


def retry() -> Any:
    """How a request is tried again; by default Google's client waits for two minutes before it says what is wrong."""
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_delay(initial=0.5, maximum=4).with_timeout(8)


def require_clients() -> None:
    """Raise ``TerminalError`` in an image that was built without the clients."""
    try:
        # Only looked for, since importing it takes a second.
        found = find_spec("google.cloud.storage") is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise TerminalError(
            "this image has no client for Google Cloud Storage", remedy="build it with IMAGE_STORES=gcs"
        )


def read_key(file: Path) -> dict[str, str]:
    """The key of a service account; raises ``TerminalError`` if ``file`` holds none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    kind = found.get("type") if isinstance(found, dict) else None
    if kind == "service_account" and all(isinstance(found.get(name), str) for name in _NEEDED):
        key: dict[str, str] = found
        return key
    # Google writes files of this form for persons and other clouds, too.
    other = f" but of {kind!r}" if isinstance(kind, str) and kind != "service_account" else ""
    raise TerminalError(
        f"{file} holds no key of a service account in JSON{other}: it comes from mlflow-gcs-secret",
        remedy="look at mlflow-gcs-secret",
    )


@lru_cache(maxsize=4)
def _client(address: str, file: str) -> Any:
    require_clients()
    # Of a later end of Python 3.11's support, at every start of every program.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")
    from google.cloud.storage import Client

    credentials = _key(Path(file)) if file else _identity()
    # Without a project, which the client would look for at the metadata server, and no request of ours needs.
    options = {"api_endpoint": address, "universe_domain": credentials.universe_domain}
    return Client(project=None, credentials=credentials, client_options=options)


def _key(file: Path) -> Any:
    from google.oauth2.service_account import Credentials

    try:
        return Credentials.from_service_account_info(read_key(file), scopes=[_SCOPE])
    except ValueError:
        raise TerminalError(
            f"{file} holds a key of a service account that cannot be read: it comes from mlflow-gcs-secret",
            remedy="look at mlflow-gcs-secret",
        ) from None


def _identity() -> Any:
    if os.environ.get(IDENTITY) != "true":
        raise TerminalError(
            f"the pod has neither a key of a service account nor an identity: {KEY_FILE} and {IDENTITY} are not set",
            remedy="mount mlflow-gcs-secret, or give the ServiceAccount a workload identity",
        )
    from google.auth.compute_engine import Credentials

    # Of this kind only: google.auth.default would take any file of any cloud. Named, lest it asks for the universe.
    return Credentials(scopes=[_SCOPE], universe_domain="googleapis.com")
