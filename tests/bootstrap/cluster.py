"""The Secrets of a Kubernetes API, as far as the bootstrap asks for them: create, read, merge, delete, versions.

A real API server needs etcd and is built in minutes, so these tests take this one; it keeps to the API's rules on
resource versions, immutable types and missing namespaces, and checks no rights.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Secret = dict[str, Any]


class SecretsApi:
    """What it holds, by ``NAMESPACE/NAME``, and the requests that it took."""

    def __init__(self, *namespaces: str) -> None:
        self.secrets: dict[str, Secret] = {}
        self.requests: list[str] = []
        self.namespaces = namespaces
        self.versions = iter(range(1, 1000000))
        self.lock = threading.Lock()

    def text(self, path: str, key: str) -> str:
        """A decoded value."""
        return base64.b64decode(self.secrets[path]["data"][key]).decode()

    @property
    def writes(self) -> list[str]:
        """Requests that change something."""
        return [line for line in self.requests if not line.startswith("GET")]

    def answer(self, method: str, path: str, body: Secret) -> tuple[int, Secret]:
        """Status and object for a request."""
        with self.lock:
            self.requests.append(f"{method} {path}")
            # /api/v1/namespaces/NAMESPACE/secrets/NAME: the only resource that the bootstrap asks for.
            _, _, _, _, namespace, _, *rest = path.partition("?")[0].split("/")
            if method == "POST":
                return self._create(namespace, body)
            found = self.secrets.get(f"{namespace}/{rest[0]}")
            if found is None:
                return 404, _status(404, "NotFound")
            if method == "DELETE":
                del self.secrets[f"{namespace}/{rest[0]}"]
            return self._patch(found, body) if method == "PATCH" else (200, found)

    def _create(self, namespace: str, body: Secret) -> tuple[int, Secret]:
        path = f"{namespace}/{body['metadata']['name']}"
        if namespace not in self.namespaces:
            return 404, _status(404, "NotFound")
        if path in self.secrets:
            return 409, _status(409, "AlreadyExists")
        self.secrets[path] = {"kind": "Secret", "apiVersion": "v1", **body, "metadata": dict(body["metadata"])}
        self._renew(self.secrets[path])
        return 201, self.secrets[path]

    def _patch(self, found: Secret, body: Secret) -> tuple[int, Secret]:
        metadata = dict(body.get("metadata", {}))
        # As the API server answers a patch that names a version which is no longer the newest one.
        if metadata.pop("resourceVersion", None) not in (None, found["metadata"]["resourceVersion"]):
            return 409, _status(409, "Conflict")
        # The type of a Secret is immutable.
        if body.get("type", found["type"]) != found["type"]:
            return 422, _status(422, "Invalid")
        found["data"] = _merged(found.get("data"), body.get("data"))
        # A patch brings only the labels that it changes; those of others have to survive it.
        texts = {kind: _merged(found["metadata"].get(kind), metadata.pop(kind, None)) for kind in _TEXTS}
        found["metadata"].update(metadata, **texts)
        self._renew(found)
        return 200, found

    def _renew(self, found: Secret) -> None:
        found["metadata"]["resourceVersion"] = str(next(self.versions))


_TEXTS = ("labels", "annotations")


def _merged(found: Secret | None, changes: Secret | None) -> Secret:
    """As a merge patch does: None removes a key."""
    return {key: value for key, value in {**(found or {}), **(changes or {})}.items() if value is not None}


def _status(code: int, reason: str) -> Secret:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}


@contextmanager
def serving(api: SecretsApi, folder: Path) -> Iterator[Path]:
    """Serve it on a free port of 127.0.0.1; gives a kubeconfig."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            status, answer = api.answer(self.command, self.path, json.loads(self.rfile.read(length) or b"{}"))
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            # kubernetes' client keeps its connections and needs the length to know where an answer ends.
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815  (names that the base class looks for)

        # Requests are in ``SecretsApi.requests``, which the tests look at.
        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    # Port 0, for several sessions of these tests may run on one machine.
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield _kubeconfig(folder, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _kubeconfig(folder: Path, address: str) -> Path:
    path = folder / "kubeconfig"
    cluster = {"name": "here", "cluster": {"server": address}}
    context = {"name": "here", "context": {"cluster": "here", "user": "here"}}
    user: dict[str, Any] = {"name": "here", "user": {}}
    document = {"apiVersion": "v1", "kind": "Config", "current-context": "here"}
    path.write_text(json.dumps(document | {"clusters": [cluster], "contexts": [context], "users": [user]}))
    return path
