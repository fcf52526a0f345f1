"""Artifacts pass through the server, for the release that sends its clients to the bucket wherever it is S3.

MLflow 3.17.2 tells clients that they may download by presigned URLs of the object store, and no setting changes that. A
client then fails where it cannot reach the object store or does not trust its certificate, and with it every
``load_model``. The paths stay: a client with ``MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD=true`` takes them all the same.
"""

from typing import Any


def advertise_no_presigned_urls() -> None:
    """Say of the server that it has none; clients ask before they log in."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.server import handlers, server_info_api
    from mlflow.utils import server_info

    build = handlers.build_server_info_payload
    proxied = {
        server_info.SERVER_INFO_MULTIPART_UPLOADS_ENABLED: False,
        server_info.SERVER_INFO_MULTIPART_DOWNLOADS_ENABLED: False,
    }

    def build_proxied() -> dict[str, Any]:
        return {**build(), **proxied}

    for module in (handlers, server_info_api):
        module.build_server_info_payload = build_proxied
