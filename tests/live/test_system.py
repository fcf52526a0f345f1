"""Both releases, as dist/ describes them: people log in, keys work, artifacts pass, the rest stays outside."""

import os
import re
from urllib.parse import parse_qs, unquote_plus, urlsplit

import httpx
import pytest
from web_session import WebSession, with_key

from live.users import User
from testbed.system import System

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

REFUSED = "User is not allowed to login"
"""What both releases say of a user whose token lists no group."""

MULTIPART = "/api/2.0/mlflow-artifacts/mpu"
"""Neither clients nor pages need it here; any ingress may decode a path, so the server itself refuses it."""

OUTSIDE = {"3.6.0": (200, True), "3.17.2": (401, False)}
"""How a request without a session is answered: status, and whether with the page of the login."""


def _anonymous(system: System) -> httpx.Client:
    return system.client()


def test_login_link_leads_to_keycloak_with_redirect(system: System) -> None:
    with _anonymous(system) as client:
        answer = client.get("/login")

    target = urlsplit(answer.headers["location"])
    asked = parse_qs(target.query)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(system.settings.authentication.issuer)
    assert asked["redirect_uri"] == [f"{system.url}/callback"]
    assert {"openid", "profile", "email", system.settings.authentication.groups_scope} <= set(asked["scope"][0].split())


@pytest.mark.parametrize("name", ["admin", "user"])
def test_member_logs_in_through_keycloaks_form(system: System, name: str) -> None:
    with WebSession(system=system) as visitor:
        page = visitor.log_in(system.users[name])

        assert page.status_code == 200
        assert str(page.url).startswith(f"{system.url}/oidc/ui/")
        assert visitor.client.get("/api/2.0/mlflow/experiments/search?max_results=5").status_code == 200


def test_only_members_of_admin_group_are_administrators(system: System) -> None:
    with WebSession(system=system) as admin, WebSession(system=system) as user:
        admin.log_in(system.users["admin"])
        user.log_in(system.users["user"])

        assert (admin.whoami()["is_admin"], user.whoami()["is_admin"]) == (True, False)


def test_user_in_no_group_stays_outside(system: System) -> None:
    with WebSession(system=system) as visitor:
        page = visitor.log_in(system.users["outsider"])

        answer = visitor.client.get("/api/2.0/mlflow/experiments/search?max_results=5")

    assert re.search(REFUSED, unquote_plus(f"{page.url} {page.text}"))
    assert (answer.status_code, "Log in to MLflow" in answer.text) == OUTSIDE[system.settings.release]


def test_access_key_stores_and_reads_an_artifact(system: System, new_user: User) -> None:
    with WebSession(system=system) as visitor:
        visitor.log_in(new_user)
        key = visitor.make_key(new_user)
    # Above the 8 MiB from which boto3 sends a file in parts.
    content = os.urandom(9_000_001)

    with with_key(system, new_user, key) as client:
        made = client.post("/api/2.0/mlflow/experiments/create", json={"name": f"of {new_user.name}"})
        path = f"/api/2.0/mlflow-artifacts/artifacts/{made.json()['experiment_id']}/run/artifacts/model.bin"
        sent = client.put(path, content=content)
        received = client.get(path)

    assert (made.status_code, sent.status_code, received.status_code) == (200, 200, 200)
    assert received.content == content


def test_traefik_routes_neither_metrics_nor_other_hosts(system: System) -> None:
    with _anonymous(system) as client:
        # By the server, which has no such route there; Traefik itself would answer 404.
        assert client.get("/metrics").status_code == 403
        assert client.get("/health", headers={"Host": "mlflow.example.net"}).status_code == 404
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize("path", [MULTIPART, f"{MULTIPART}/create/x", MULTIPART.replace("mpu", "%6dpu/create")])
def test_server_refuses_multipart_paths_in_any_spelling(system: System, new_user: User, path: str) -> None:
    with WebSession(system=system) as visitor:
        visitor.log_in(new_user)

        answer = visitor.client.post(path, json={})

    assert answer.status_code == 403


def test_bootstrap_creates_what_the_environment_says(system: System) -> None:
    verified = system.bootstrap.run("verify")

    assert verified.returncode == 0, verified.stdout + verified.stderr
