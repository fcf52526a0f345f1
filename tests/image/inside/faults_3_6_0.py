"""What MLflow 3.6.0 and mlflow-oidc-auth 5.6.1 do where a patch of ours changes them; writes it as JSON.

Each function is named as the module in ``mlflow_sso/patches/mlflow_3_6_0`` that answers what it shows.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from statements import Statements

USER = {"username": "anna", "password": "key", "display_name": "Anna"}

STATEMENTS = Statements()


def credentials(client: Any) -> dict[str, Any]:
    """The status for a scheme that is not known, and for a good token of a user who is not."""
    from mlflow_oidc_auth import auth
    from mlflow_oidc_auth.utils import request_helpers

    for module in (auth, request_helpers):
        # What counts here comes after the check of a token, for which no realm is asked.
        module.validate_token = lambda token: {"email": "unknown@example.com"}
    sent = {"unknown scheme": "Negotiate abc", "unknown user": "Bearer abc"}
    path = "/api/2.0/mlflow/experiments/search"
    return {what: client.get(path, headers={"Authorization": value}).status_code for what, value in sent.items()}


def key_expiry(client: Any) -> dict[str, Any]:
    """The statements that change rows while a key is checked."""
    from mlflow_oidc_auth.store import store

    store.create_user(**USER)
    store.update_user(username="anna", password_expiration=datetime.now(UTC) + timedelta(days=1))
    with STATEMENTS.counting() as seen:
        known = store.authenticate_user("anna", "key")
    return {"accepted": known, "updates": sum(one.startswith("UPDATE users") for one in seen)}


def keycloak_logout(client: Any) -> dict[str, Any]:
    """Whether a logout sends the browser to the address that ends Keycloak's session."""
    answer = client.get("/logout")
    return {"ends Keycloak's session": "end_session_endpoint" in f"{answer.headers} {answer.text}"}


def realm_requests(client: Any) -> dict[str, Any]:
    """The time-outs of the requests for the realm's keys, and what is kept of an error page."""
    from mlflow_oidc_auth import auth
    from mlflow_oidc_auth.app import cache
    from requests.adapters import HTTPAdapter

    timeouts = []

    class Noting(HTTPAdapter):
        def send(self, request: Any, **options: Any) -> Any:
            timeouts.append(options["timeout"])
            return super().send(request, **options)

    # Each call of requests opens a session, with adapters of this class.
    auth.requests.sessions.HTTPAdapter = Noting
    auth._get_oidc_jwks()
    auth.requests.sessions.HTTPAdapter = HTTPAdapter
    return {"kept": cache.get("jwks"), "timeouts": timeouts}


def refusal(client: Any) -> dict[str, Any]:
    """What the plugin says to a user without an e-mail address, and whether its page forgets an error."""
    from mlflow.server import app
    from mlflow_oidc_auth import auth

    page = app.jinja_loader.get_source(app.jinja_env, "auth.html")[0]
    errors = auth.handle_user_and_group_management({"userinfo": {"preferred_username": "anna"}})
    return {
        "asks for e-mail": any("email" in one for one in errors),
        "error vanishes": 'visibility = "hidden"; }, 4000)' in page,
    }


def model_renames(client: Any) -> dict[str, Any]:
    """What a rename raises if only a group has a grant, and under which name that group has it then."""
    from mlflow.exceptions import MlflowException
    from mlflow_oidc_auth.store import store

    store.populate_groups(["team"])
    store.create_group_model_permission("team", "before", "READ")
    try:
        store.rename_registered_model_permissions("before", "after")
        store.rename_group_model_permissions("before", "after")
    except MlflowException as error:
        (kept,) = store.get_group_models("team")
        return {"status": error.get_http_status_code(), "group": kept.name}
    return {}


def group_members(client: Any) -> dict[str, Any]:
    """The status for the list of a group that has a member."""
    from mlflow_oidc_auth.store import store

    store.set_user_groups("anna", ["team"])
    path = "/api/2.0/mlflow/permissions/groups/team/users"
    return {"status": client.get(path, auth=("anna", "key")).status_code}


def metric_history(client: Any) -> dict[str, Any]:
    """The metrics that a request without a page size gets of the one that there is, and whether it is told of more."""
    from mlflow.entities import Metric
    from mlflow.server import handlers

    # The process has no server's settings; this is the store that it would open.
    store = handlers._get_tracking_store(f"sqlite:///{Path.cwd()}/mlflow.db", str(Path.cwd()))
    experiment = store.create_experiment("history")
    run = store.create_run(experiment, "anna", 1, [], "run").info.run_id
    store.log_metric(run, Metric("loss", 1.0, 1, 1))
    with client.application.test_request_context(query_string={"run_id": run, "metric_key": "loss"}):
        answer = handlers._get_metric_history().json
    return {"metrics": len(answer.get("metrics", [])), "leads on": "next_page_token" in answer}


def file_names(client: Any) -> dict[str, Any]:
    """Whether the header that names a file can be written as HTTP has it."""
    from flask import Response
    from mlflow.server import handlers

    answer = handlers._response_with_file_attachment_headers("folder/\u65e5\u672c.txt", Response())
    text = answer.headers["Content-Disposition"]
    return {"in latin-1": text.encode("latin-1", "replace").decode("latin-1") == text}


def text_flags(client: Any) -> dict[str, Any]:
    """Whether a user who is created as none becomes an administrator."""
    from mlflow.server import app
    from mlflow_oidc_auth.store import store
    from mlflow_oidc_auth.views import user

    sent = {"username": "robot", "display_name": "Robot", "is_admin": "false"}
    with app.test_request_context(method="POST", json=sent):
        user.create_new_user()
    return {"administrator": store.get_user("robot").is_admin}


def row_reads(client: Any) -> dict[str, Any]:
    """The statements that a page of two registered models takes, and one of twelve."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(f"sqlite:///{Path.cwd()}/mlflow.db")
    for number in range(12):
        store.create_registered_model(f"model {number}")
        store.create_model_version(f"model {number}", "s3://bucket/model")
    counts = []
    for size in (2, 12):
        with STATEMENTS.counting() as seen:
            assert len(store.search_registered_models(max_results=size)) == size
        counts.append(len(seen))
    return {"grows": counts[1] > counts[0]}


def sessions(client: Any) -> dict[str, Any]:
    """The cookie's flag, and whether a login begins another session than the one that was there."""
    from mlflow_oidc_auth.views import authentication

    # In place of Keycloak's answer, which the tests of login have for real.
    authentication.process_oidc_callback = lambda request, session: ("anna", [])
    began = client.get("/login").status_code
    planted = client.get_cookie("session")
    client.get("/callback")
    kept = client.get_cookie("session")
    return {"began": began, "same": planted.value == kept.value, "secure": kept.secure}


def return_address(client: Any) -> dict[str, Any]:
    """Where a login leads to that began with an address."""
    from mlflow_oidc_auth.views import authentication

    authentication.process_oidc_callback = lambda request, session: ("anna", [])
    client.get("/login?next=/get-artifact")
    return {"leads to": client.get("/callback").headers["location"]}


def span_export(client: Any) -> dict[str, Any]:
    """Whether the plugin's application has a route for spans, and MLflow's own."""
    from mlflow.server.fastapi_app import app as mlflows
    from mlflow_oidc_auth.fastapi_app import app as plugins

    path = "/v1/traces"
    return {
        name: any(getattr(route, "path", "") == path for route in one.routes)
        for name, one in (("mlflow", mlflows), ("plugin", plugins))
    }


class Realm(BaseHTTPRequestHandler):
    """A realm that knows its addresses, and has lost its keys."""

    def do_GET(self) -> None:
        base = f"http://127.0.0.1:{self.server.server_address[1]}"
        names = ("issuer", "authorization_endpoint", "token_endpoint", "end_session_endpoint", "jwks_uri")
        known = self.path == "/realm"
        body = {name: f"{base}/{name}" for name in names} if known else {"error": "unavailable"}
        self.send_response(200 if known else 503)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: Any) -> None:
        """Nothing of it is interesting."""


PROBES = (
    key_expiry,
    keycloak_logout,
    model_renames,
    # After those that create the user and the group.
    group_members,
    realm_requests,
    refusal,
    metric_history,
    file_names,
    text_flags,
    row_reads,
    sessions,
    return_address,
    span_export,
    # Last, since it replaces the check of tokens for all that come after it.
    credentials,
)


def main() -> None:
    """Set what the plugin reads when it is imported, and write what each probe has seen."""
    realm = ThreadingHTTPServer(("127.0.0.1", 0), Realm)
    Thread(target=realm.serve_forever, daemon=True).start()
    os.environ.update(
        SECRET_KEY="x" * 32,
        OIDC_USERS_DB_URI=f"sqlite:///{Path.cwd()}/users.db",
        OIDC_DISCOVERY_URL=f"http://127.0.0.1:{realm.server_address[1]}/realm",
        OIDC_CLIENT_ID="mlflow",
        OIDC_CLIENT_SECRET="secret",
        AUTOMATIC_LOGIN_REDIRECT="false",
        CACHE_TYPE="SimpleCache",
        SESSION_TYPE="cachelib",
    )
    from mlflow_oidc_auth.app import app

    print(json.dumps({probe.__name__: probe(app.test_client()) for probe in PROBES}))


main()
