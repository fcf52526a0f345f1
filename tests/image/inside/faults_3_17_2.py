"""What MLflow 3.17.2 and mlflow-oidc-auth 11.0.2 do where a patch of ours changes them; writes it as JSON.

Each function is named as the module in ``mlflow_sso/patches/mlflow_3_17_2`` that answers what it shows.
"""

import asyncio
import json
import os
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from application import Application, Request, basic
from itsdangerous import BadSignature
from route_faults import direct_passing, late_routes, mcp_reads, parameter_types, route_index
from statements import Statements
from trace_faults import absent_spans
from upgrade_faults import pages_of_spans
from user_faults import last_administrator

MLFLOW = f"sqlite:///{Path.cwd()}/mlflow.db"
USERS = f"sqlite:///{Path.cwd()}/users.db"
SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"
FEW, MANY = 2, 12
USER = "anna@example.com"

STATEMENTS = Statements()

Ask = Callable[..., int]
"""Asks the plugin's own application as a user with an access key, and gives the status."""


def basic_login(ask: Ask) -> dict[str, Any]:
    """How many keys are checked at once when four requests bring one."""
    from mlflow_oidc_auth.middleware import auth_middleware

    running, most, lock = [0], [0], threading.Lock()

    def check(name: str, key: str) -> bool:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1
        return True

    async def log_in() -> None:
        middleware = auth_middleware.AuthMiddleware(None)
        await asyncio.gather(*(middleware._authenticate_basic_auth("Basic YW5uYTprZXk=") for _ in range(4)))

    real, auth_middleware._authenticate_basic_auth_sync = auth_middleware._authenticate_basic_auth_sync, check
    asyncio.run(log_in())
    auth_middleware._authenticate_basic_auth_sync = real
    return {"at once": most[0]}


def bearer_keys(ask: Ask) -> dict[str, Any]:
    """The status for a key as password, and as bearer token."""
    return {"basic": ask("GET", SEARCH), "bearer": ask("GET", SEARCH, scheme="Bearer")}


def grant_reads(ask: Ask) -> dict[str, Any]:
    """Whether a search in many experiments takes more statements of the plugin's than one in few."""
    from mlflow.server.handlers import _get_tracking_store

    store = _get_tracking_store()
    names = [store.create_experiment(f"experiment {number}") for number in range(MANY)]
    counts = []
    for some in (names[:FEW], names):
        with STATEMENTS.counting() as seen:
            assert ask("POST", "/api/2.0/mlflow/runs/search", {"experiment_ids": some}) == 200
        counts.append(sum("experiment_permissions" in one for one in seen))
    return {"grows": counts[1] > counts[0]}


def outages(ask: Ask) -> dict[str, Any]:
    """The status for a good key while the users' database refuses connections."""
    from mlflow_oidc_auth.store import store
    from sqlalchemy import event

    def refuse(*_: Any) -> None:
        raise OSError("connection refused")

    # The pool's open connections would go on working.
    store.engine.dispose()
    # A database in a file refuses no connection by itself.
    event.listen(store.engine, "do_connect", refuse)
    try:
        return {"status": ask("GET", SEARCH)}
    finally:
        event.remove(store.engine, "do_connect", refuse)


def part_uploads(ask: Ask) -> dict[str, Any]:
    """What comes of an upload in parts that the object store does not know."""
    from botocore.exceptions import ClientError
    from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository

    class Store:
        def abort_multipart_upload(self, **_: Any) -> None:
            said = {"Error": {"Code": "NoSuchUpload"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(said, "AbortMultipartUpload")

    repository = S3ArtifactRepository("s3://bucket")
    repository._get_s3_client = lambda *_, **__: Store()
    try:
        repository.abort_multipart_upload("file", "unknown")
    except Exception as error:
        return {"raises": type(error).__name__}
    return {}


def proxied_artifacts(ask: Ask) -> dict[str, Any]:
    """Whether a server whose artifacts are in S3 offers its clients addresses there."""
    from mlflow.server.handlers import build_server_info_payload

    return {name: value for name, value in build_server_info_payload().items() if "multipart_downloads" in name}


def router_errors(ask: Ask) -> dict[str, Any]:
    """The status of a list of what a group may do that does not exist."""
    from mlflow_oidc_auth.store import store

    store.create_user(username="root@example.com", display_name="Root", is_admin=True)
    store.update_user(USER, is_admin=True)
    try:
        return {"status": ask("GET", "/api/2.0/mlflow/permissions/groups/absent/experiments")}
    finally:
        store.update_user(USER, is_admin=False)


def row_reads(ask: Ask) -> dict[str, Any]:
    """Whether a list of many scorers takes more statements than one of few."""
    from mlflow.server.handlers import _get_tracking_store

    store = _get_tracking_store()
    counts = []
    for size in (FEW, MANY):
        experiment = store.create_experiment(f"scorers {size}")
        for number in range(size):
            store.register_scorer(experiment, f"scorer {number}", json.dumps({"name": f"scorer {number}"}))
        with STATEMENTS.counting() as seen:
            assert len(store.list_scorers(experiment)) == size
        counts.append(len(seen))
    return {"grows": counts[1] > counts[0]}


def run_owners(ask: Ask) -> dict[str, Any]:
    """The statements for the experiment of a run, asked for twice."""
    from mlflow.server.handlers import _get_tracking_store
    from mlflow_oidc_auth.utils.data_fetching import get_run_experiment_id

    store = _get_tracking_store()
    run = store.create_run(experiment_id="0", user_id="anna", start_time=1, tags=[], run_name="one").info.run_id
    with STATEMENTS.counting() as seen:
        for _ in range(2):
            get_run_experiment_id(store, run)
    return {"reads": sum("FROM runs" in one for one in seen)}


class Realm(BaseHTTPRequestHandler):
    """A realm that has lost its keys."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()
        self.wfile.write(b'{"error": "unavailable"}')

    def log_message(self, *_: Any) -> None:
        """Nothing of it is interesting."""


def realm_requests(ask: Ask) -> dict[str, Any]:
    """What is kept as keys of a realm that answers 503."""
    from mlflow_oidc_auth import auth

    kept: dict[str, Any] = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), Realm) as realm:
        threading.Thread(target=realm.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{realm.server_address[1]}"
        options = {"cache_key": "kept", "force_refresh": False, "label": "realm", "direct": True}
        auth._load_jwks(url, cache=kept, lock=threading.Lock(), **options)
        realm.shutdown()
    return kept


def return_address(ask: Ask) -> dict[str, Any]:
    """Where a browser is led to that has to log in for an artifact."""
    from mlflow_oidc_auth.middleware.auth_middleware import AuthMiddleware
    from starlette import requests

    scope = {"type": "http", "method": "GET", "path": "/get-artifact", "query_string": b"path=a", "headers": []}
    answer = asyncio.run(AuthMiddleware(None)._handle_auth_redirect(requests.Request(scope | {"server": ("a", 80)})))
    return {"leads to": answer.headers["location"]}


def sent_names(ask: Ask) -> dict[str, Any]:
    """The name in a request for a key, which is compared with the caller's."""
    from mlflow_oidc_auth.models.user import CreateAccessTokenRequest

    return {"name": CreateAccessTokenRequest(username="Anna@Example.com").username}


def trace_analytics(ask: Ask) -> dict[str, Any]:
    """How revision 75868b020152 asks for the second page of spans."""
    pages = pages_of_spans(STATEMENTS)
    return {"pages by or": bool(pages) and all(" OR " in page for page in pages)}


def session_keys(ask: Ask) -> dict[str, Any]:
    """Whether a server with two session keys reads a session that was signed with the earlier one alone."""
    from mlflow_oidc_auth.app import app
    from starlette.middleware.sessions import SessionMiddleware

    (used,) = (one for one in app.user_middleware if issubclass(one.cls, SessionMiddleware))
    current, earlier = "c" * 32, "e" * 32
    session = SessionMiddleware(None, secret_key=earlier).signer.sign(b"session")
    signer = used.cls(None, secret_key=f"{current},{earlier}").signer
    try:
        return {"reads": signer.unsign(session) == b"session"}
    except BadSignature:
        return {"reads": False}


PROBES = (
    absent_spans,
    basic_login,
    bearer_keys,
    direct_passing,
    grant_reads,
    last_administrator,
    late_routes,
    mcp_reads,
    parameter_types,
    part_uploads,
    proxied_artifacts,
    realm_requests,
    return_address,
    route_index,
    router_errors,
    row_reads,
    run_owners,
    session_keys,
    sent_names,
    trace_analytics,
    # Last, since it ends the connections of all others.
    outages,
)


def main() -> None:
    """Set what MLflow and the plugin read when they are imported, and write what each probe has seen."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x",
        AWS_DEFAULT_REGION="us-east-1",
        DEFAULT_MLFLOW_PERMISSION="MANAGE",
        OIDC_USERS_DB_URI=USERS,
        SECRET_KEY="x" * 32,
        SESSION_TOKEN_ENCRYPTION_KEY=urlsafe_b64encode(b"x" * 32).decode(),
        _MLFLOW_SERVER_ARTIFACT_DESTINATION="s3://bucket",
        _MLFLOW_SERVER_ARTIFACT_ROOT="mlflow-artifacts:/",
        _MLFLOW_SERVER_FILE_STORE=MLFLOW,
        _MLFLOW_SERVER_SERVE_ARTIFACTS="true",
    )
    from mlflow_oidc_auth.app import app
    from mlflow_oidc_auth.store import store

    store.create_user(username=USER, display_name="Anna")
    key = store.user_token_repo.create(USER, "test", datetime.now(UTC) + timedelta(days=1), None)[1]
    application = Application(app)

    def ask(method: str, path: str, body: Any = None, scheme: str = "Basic") -> int:
        login = basic("anna", key) if scheme == "Basic" else ("authorization", f"{scheme} {key}")
        return application.ask(Request.of(method, path, body), login).status

    print(json.dumps({probe.__name__: probe(ask) for probe in PROBES}))


main()
