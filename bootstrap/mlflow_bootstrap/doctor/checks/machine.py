"""A machine's login as a training job does it, and a run with an artifact if asked for."""

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from mlflow_bootstrap.doctor.checks.prepared import run_of
from mlflow_bootstrap.doctor.errors import CannotReadError
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed, skipped
from mlflow_bootstrap.doctor.web import Reply
from mlflow_bootstrap.store.entries import MACHINES

_API = "/api/2.0/mlflow"
_MEANS = "training jobs and CI cannot log in"
Send = Callable[..., Reply]


def token(examined: Examination) -> Iterator[Line]:
    """Whether a machine's token has audience and groups, and the server takes it."""
    name, client = "machine's token", examined.settings.authentication.machine_client
    if client is None:
        yield skipped(name, "there is no machine client", do="set authentication.machine_client to have one looked at")
        return
    answer = _token(examined, client)
    if answer.status != 200:
        seen = f"Keycloak answers {answer.status} {answer.json().get('error', '')} to {client}"
        yield failed(name, seen, means=_MEANS, do=f"bootstrap plan keycloak --environment {examined.name}")
        return
    bearer = str(answer.json()["access_token"])
    problems = list(_problems(examined, _claims(bearer)))
    if problems:
        do = f"bootstrap plan keycloak --environment {examined.name} shows the mappers; apply it"
        yield failed(name, "; ".join(problems), means=_MEANS, do=do)
        return
    url = f"{examined.settings.ingress.public_url}{_API}/experiments/search?max_results=1"
    taken = examined.web.request("GET", url, headers={"Authorization": f"Bearer {bearer}"})
    # A page is no answer to a program: release 3.6.0 shows one with 200 to users that it does not know.
    if taken.status != 200 or not taken.headers.get("Content-Type", "").startswith("application/json"):
        means = f"{_MEANS}; on release 3.6.0 a machine is known once its first login was seen"
        do = "docs/use.md says how a machine logs in for the first time"
        yield failed(name, f"MLflow answers {taken.status} to it", means=means, do=do)
        return
    yield passed(name, f"{client} has audience and groups, and MLflow lists experiments for it")


def _token(examined: Examination, client: str) -> Reply:
    secret = run_of(examined).backend.values.value(MACHINES, "client_secret")
    if secret is None:
        raise CannotReadError("the secret store has no secret of the machine client", remedy="bootstrap apply keycloak")
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret.get_secret_value()}
    return examined.web.request(
        "POST",
        f"{examined.settings.authentication.issuer}/protocol/openid-connect/token",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
    )


def _claims(bearer: str) -> dict[str, Any]:
    # Not verified here: Keycloak has just handed it out, and the server verifies it.
    payload = bearer.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def _problems(examined: Examination, claims: dict[str, Any]) -> Iterator[str]:
    login = examined.settings.authentication
    audience = claims.get("aud", [])
    if login.client_id not in ([audience] if isinstance(audience, str) else audience):
        yield f"its audience is {audience or 'missing'}, not {login.client_id}"
    groups = claims.get(login.groups_claim)
    if not groups:
        yield f"it has no claim {login.groups_claim}"
    elif not {f"/{login.user_group}", f"/{login.admin_group}"} & set(groups):
        yield f"its groups are {', '.join(groups)}, and not /{login.user_group}"


def run_and_back(examined: Examination) -> Iterator[Line]:
    """Log a run with an artifact, read both back, and delete them."""
    send = _sender(examined)
    name = "run with an artifact"
    if send is None:
        do = "set authentication.machine_client, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        yield skipped(name, "there is no login for it", do=do)
        return
    content, title = secrets.token_bytes(64 << 10), f"doctor-{secrets.token_hex(8)}"
    experiment = _need(send("POST", f"{_API}/experiments/create", {"name": title}), "create an experiment")[
        "experiment_id"
    ]
    try:
        run = _need(send("POST", f"{_API}/runs/create", {"experiment_id": experiment}), "create a run")["run"]["info"][
            "run_id"
        ]
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/doctor.bin"
        stored, back = send("PUT", path, content), send("GET", path)
        _need(send("DELETE", path), "delete the artifact")
    # Also after a fault, or each failed look would leave an experiment.
    finally:
        _need(send("POST", f"{_API}/experiments/delete", {"experiment_id": experiment}), "delete the experiment")
    if back.body != content:
        seen = f"an artifact was answered with {stored.status}, and read back with {back.status}"
        yield failed(name, seen, means="training jobs lose artifacts", do="look at the line of the artifact bucket")
        return
    yield passed(name, f"logged, read back and deleted in {title}; gc removes the deleted rows")


def _need(answer: Reply, doing: str) -> dict[str, Any]:
    if answer.status not in (200, 204):
        said = answer.json().get("message") or answer.json().get("error_code") or ""
        raise CannotReadError(f"could not {doing}: {answer.status} {said}", remedy="look at the other lines")
    return answer.json()


def _sender(examined: Examination) -> Send | None:
    credentials, login = examined.credentials, examined.settings.authentication
    user, password = (credentials.given(f"MLFLOW_TRACKING_{part}") for part in ("USERNAME", "PASSWORD"))
    if user and password:
        pair = f"{user.get_secret_value()}:{password.get_secret_value()}".encode()
        authorization = f"Basic {base64.b64encode(pair).decode()}"
    elif login.machine_client:
        authorization = f"Bearer {_need(_token(examined, login.machine_client), 'get a token')['access_token']}"
    else:
        return None

    def send(method: str, path: str, content: dict[str, Any] | bytes | None = None) -> Reply:
        body = json.dumps(content).encode() if isinstance(content, dict) else content
        kind = {"Content-Type": "application/json"} if isinstance(content, dict) else {}
        url = f"{examined.settings.ingress.public_url}{path}"
        return examined.web.request(method, url, headers={"Authorization": authorization, **kind}, body=body)

    return send
