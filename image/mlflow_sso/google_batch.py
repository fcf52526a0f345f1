"""Deletion of many objects of Google Cloud Storage in one request.

Google's own client numbers no part of such a request and finds answers by their order; whatever stands between that
loses or adds one is not noticed.
"""

import secrets
from collections.abc import Mapping, Sequence
from email.parser import BytesParser
from typing import Any
from urllib.parse import quote

from mlflow_sso.google_client import TIMEOUT

BATCH = 100
"""Requests in one at most (Google, "Batch requests")."""


def delete_together(client: Any, bucket: str, keys: Sequence[str]) -> bool:
    """Delete at most ``BATCH`` objects; false if the server answered something else than a batch, so nothing is known.

    Raises Google's and requests' exceptions; objects that are not there are no error.
    """
    from google.api_core.exceptions import from_http_response, from_http_status

    boundary = secrets.token_hex(16)
    answer = client._http.request(
        "POST",
        f"{client.api_endpoint}/batch/storage/v1",
        data=_body(boundary, bucket, keys),
        headers={"Content-Type": f"multipart/mixed; boundary={boundary}"},
        timeout=TIMEOUT,
    )
    # What an endpoint says that has no such route.
    if answer.status_code in (404, 405, 501):
        return False
    if not answer.ok:
        raise from_http_response(answer)
    states = _states(answer.headers.get("Content-Type", ""), answer.content)
    if states.keys() != set(range(len(keys))):
        return False
    for number, state in states.items():
        code = int(state.split()[1])
        if code not in (200, 204, 404):
            raise from_http_status(code, f"{state.partition(' ')[2]} for {keys[number]}")
    return True


def _body(boundary: str, bucket: str, keys: Sequence[str]) -> bytes:
    lines = []
    for number, key in enumerate(keys):
        lines += [f"--{boundary}", "Content-Type: application/http", f"Content-ID: <{number}>", ""]
        lines += [f"DELETE /storage/v1/b/{bucket}/o/{quote(key, safe='')} HTTP/1.1", "", ""]
    return "\r\n".join([*lines, f"--{boundary}--", ""]).encode()


def _states(content_type: str, content: bytes) -> Mapping[int, str]:
    """Status lines by number; empty for what is no answer to a batch."""
    message = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + content)
    found = {}
    for part in message.walk():
        number = str(part["Content-ID"]).strip("<>").rpartition("response-")[2]
        state = str(part.get_payload()).lstrip().partition("\n")[0].strip()
        if number.isdigit() and state.startswith("HTTP/") and state.split()[1:2] and state.split()[1].isdigit():
            found[int(number)] = state
    return found
