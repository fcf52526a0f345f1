"""Users with an access key, and programs with MLflow's client that run as them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import httpx
from web_session import WebSession

from live.provisioning import ROOT
from live.users import User
from testbed.node.client import AUTHORITY
from testbed.system import System

EXAMPLES = ROOT / "docs" / "examples"


@dataclass(frozen=True, kw_only=True)
class Member:
    """A user who has logged in once and holds an access key."""

    system: System
    user: User
    key: str

    @property
    def email(self) -> str:
        return self.user.email

    @cached_property
    def http(self) -> httpx.Client:
        """Plain HTTP with the access key."""
        return new_client(self.system, auth=(self.email, self.key))

    @property
    def login(self) -> dict[str, str]:
        """What MLflow's client reads: the access key as password."""
        return {"MLFLOW_TRACKING_USERNAME": self.email, "MLFLOW_TRACKING_PASSWORD": self.key}


def join(system: System, *, group: str | None = None) -> Member:
    """A new user of ``group`` or of the group of users, logged in through Keycloak's form, with a fresh key."""
    user = User(name=f"member{secrets.token_hex(4)}", group=group or system.settings.authentication.user_group)
    system.add_users(user)
    with WebSession(system=system) as visitor:
        visitor.log_in(user)
        return Member(system=system, user=user, key=visitor.make_key(user))


def join_as_admin(system: System) -> Member:
    """A new administrator."""
    return join(system, group=system.settings.authentication.admin_group)


def new_client(system: System, *, auth: tuple[str, str] | None = None) -> httpx.Client:
    """A client of the public address that trusts the system's authority."""
    return system.client(auth=auth)


def known_machine_token(system: System) -> str:
    """A fresh token of the service account, which an administrator has made known to MLflow before."""
    path = {"3.6.0": "/api/2.0/mlflow/users/create", "3.17.2": "/api/2.0/mlflow/users"}[system.settings.release]
    account = f"{system.settings.authentication.machine_client}@{system.settings.ingress.host}"
    # On 3.17.2 a service account of MLflow's own takes only access keys, so this one is a user like others.
    service = system.settings.release == "3.6.0"
    made = join_as_admin(system).http.post(
        path, json={"username": account, "display_name": "machines", "is_service_account": service}
    )
    assert made.status_code in (200, 201), made.text
    return machine_token(system)


def machine_token(system: System) -> str:
    """A fresh access token of the realm for the service account of the settings."""
    settings = system.settings
    prefix = settings.secrets.vault_prefix
    secret = system.backing.value(f"{prefix}/machines", "client_secret")
    login = (settings.authentication.machine_client or "", secret or "")
    token = f"{settings.authentication.issuer}/protocol/openid-connect/token"
    with system.client(auth=login) as client:
        answer = client.post(token, data={"grant_type": "client_credentials"})
    return str(answer.raise_for_status().json()["access_token"])


def run_example(system: System, name: str, *arguments: str, variables: Mapping[str, str]) -> str:
    """Run an example of the guide with the address and the authority set; what it printed."""
    address = {"MLFLOW_TRACKING_URI": system.url, "REQUESTS_CA_BUNDLE": AUTHORITY}
    done = system.client_pod.run(EXAMPLES / name, *arguments, variables={**address, **variables})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
