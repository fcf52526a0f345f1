"""Read address and login from the environment or `.env`, and end the program if the server cannot be used.

The other examples call `connect()` first. Needs: mlflow, python-dotenv.
"""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
from dotenv import load_dotenv
from mlflow import MlflowClient

ONE_TRY = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}

REFUSALS = (
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "Authentication required",
    "error code 401",
    "error code 403",
    "<html",
)
"""What the releases, and login pages of proxies, answer to a login that opens nothing."""


def connect() -> str:
    """Address of the tracking server, which has answered with this login.

    MLflow itself writes into the working directory if no server is set, which looks like success, and tries for minutes
    if the server does not answer.

    Raises:
        SystemExit: no server is set, it does not answer, or it refuses the login; one line on stderr says which.
    """
    file = Path.cwd() / ".env"
    load_dotenv(file)
    address = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    server = _server(address)
    if server is None:
        sys.exit(
            "error: no tracking server is set: MLFLOW_TRACKING_URI is"
            f" {repr(address) if address else 'empty'}; set it to https://HOST in the environment or in {file}"
        )
    mlflow.set_tracking_uri(address)
    _ask(server)
    return server


def _server(address: str) -> str | None:
    """``address`` without a login in it; None if it is not that of a server."""
    try:
        parts = urlsplit(address)
        host = parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if host else None


def _ask(server: str) -> None:
    """End the program unless ``server`` lists an experiment, or none, for this login."""
    before = {name: os.environ.get(name) for name in ONE_TRY}
    os.environ.update(ONE_TRY)
    try:
        MlflowClient().search_experiments(max_results=1)
    except Exception as error:  # whatever MLflow and its HTTP client raise
        sys.exit(f"error: {server} {_reason(error)}")
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split())
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return "has a certificate of an unknown authority; name its file in MLFLOW_TRACKING_SERVER_CERT_PATH"
    if any(sign in words for sign in ("Max retries exceeded", "timed out", "Connection aborted")):
        return "does not answer; check MLFLOW_TRACKING_URI"
    if any(sign in words for sign in REFUSALS):
        return "refuses the login; check MLFLOW_TRACKING_USERNAME and _PASSWORD, or MLFLOW_TRACKING_TOKEN"
    return f"does not answer as a tracking server: {words[:200]}"
