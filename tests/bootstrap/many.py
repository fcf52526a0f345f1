"""Environments of different releases in one realm, one PostgreSQL, one MinIO and one OpenBao, as the tests see them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.error import HTTPError

import psycopg
import requests
from command_line import Servers
from objects import admin as minio_admin
from objects import client as minio_client
from sql import execute
from sso import SERVICE_ACCOUNT, administrator

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.destruction import delete_all
from mlflow_bootstrap.engine import NOTHING, Change, Failure, Outcome
from mlflow_bootstrap.ownership import Adoption
from mlflow_bootstrap.rotation import renew
from mlflow_bootstrap.run import Run
from mlflow_bootstrap.systems import PARTS

ENTRIES = ("postgres", "s3", "oidc", "server", "machines")


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """One environment on the shared servers, its bootstrap, and what it has there."""

    servers: Servers
    settings: Settings
    said: list[str] = field(default_factory=list)
    """Lines of the last run."""

    def run(self, adoption: Adoption = NOTHING) -> Run:
        """A new run, as a new process would have."""
        self.said.clear()
        environ = {**self.servers.administrators(), **SERVICE_ACCOUNT}
        return Run(
            settings=self.settings,
            credentials=Credentials(environ=environ, ask=None),
            # A spinner would write to the terminal of pytest.
            report=self._hear,
            step=lambda _: nullcontext(),
            adoption=adoption,
        )

    def _hear(self, item: Change | Failure) -> None:
        self.said.append(str(item))

    def plan(self, *adopted: str) -> Outcome:
        """Plan everything; verify is the same with another exit code."""
        return self.run(Adoption(addresses=frozenset(adopted))).plan(PARTS)

    def apply(self, *adopted: str, earlier: bool = False) -> Outcome:
        """Apply everything."""
        return self.run(Adoption(addresses=frozenset(adopted), earlier=earlier)).apply(PARTS)

    def rotate(self, entry: str) -> Outcome:
        """Renew a secret."""
        return renew(self.run(), entry, say=lambda _: None)

    def destroy(self, *data: str) -> Outcome:
        """Destroy it, with the data that is named."""
        return delete_all(self.run(), frozenset(data))

    @property
    def data(self) -> tuple[str, ...]:
        """Addresses of its databases and its bucket."""
        database, bucket = self.settings.database, self.settings.artifacts.bucket
        names = (database.name, database.auth_name)
        return (*(f"postgres/database/{name}" for name in names), f"minio/bucket/{bucket}")

    def entry(self, name: str) -> dict[str, Any]:
        """An entry of the store with its metadata; empty if there is none."""
        path = f"secret/data/{self.settings.secrets.vault_prefix}/{name}"
        try:
            return dict(self.servers.openbao.call("GET", path)["data"])
        # There is no entry before the first apply, nor after a destroy.
        except HTTPError:
            return {}

    def secret(self, entry: str, name: str) -> str:
        """A value of the store."""
        return str(self.entry(entry)["data"][name])

    def state(self) -> dict[str, str]:
        """All that it has, by system, each as a digest of its bytes: a failed comparison shows no secret."""
        parts = {
            "keycloak": self._keycloak(),
            "postgres": self._postgres(),
            "minio": self._minio(),
            "openbao": {name: self.entry(name) for name in ENTRIES},
        }
        # Sorted, so that only a change of the content changes the digest.
        return {
            f"{system}/{name}": hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
            for system, things in parts.items()
            for name, value in things.items()
        }

    def _keycloak(self) -> dict[str, Any]:
        login = self.settings.authentication
        realm = administrator(self.servers.keycloak, login.realm)
        clients = {one["clientId"]: one for one in realm.get_clients()}
        scopes = {one["name"]: one for one in realm.get_client_scopes()}
        names = (login.admin_group, login.user_group)
        groups = [group for group in realm.get_groups() if group["name"] in names]
        details = [realm.get_group(group["id"]) for group in groups]
        users = {user["username"]: user for user in realm.get_users()}
        account = users.get(f"service-account-{login.machine_client}")
        return {
            "client": _ordered(clients.get(login.client_id)),
            "machines": _ordered(clients.get(str(login.machine_client))),
            "scope": _ordered(scopes.get(login.groups_scope)),
            "groups": _ordered(details),
            "account": _ordered(account),
            "account's groups": _ordered(realm.get_user_groups(account["id"])) if account else None,
        }

    def _postgres(self) -> dict[str, Any]:
        database, server = self.settings.database, self.servers.postgres
        comment = (
            # Verifiers included: a password that was written anew is a change, even if it is the same one.
            "SELECT rolname, row_to_json(found)::text, shobj_description(oid, 'pg_authid') FROM pg_authid AS found"
        )
        described = "SELECT datname, datdba, datacl::text, datallowconn, shobj_description(oid, 'pg_database')"
        names = (database.name, database.auth_name)
        databases = execute(server, f"{described} FROM pg_database ORDER BY 1")
        return {
            "role": [row for row in execute(server, comment) if row[0] == database.role],
            "databases": [row for row in databases if row[0] in names],
        }

    def _minio(self) -> dict[str, Any]:
        artifacts, boss = self.settings.artifacts, minio_admin(self.servers.minio)
        root = minio_client(self.servers.minio)
        policies, users = json.loads(boss.policy_list()), json.loads(boss.user_list())
        there = root.bucket_exists(artifacts.bucket)
        objects = root.list_objects(artifacts.bucket, recursive=True) if there else []
        return {
            "bucket": there and [root.get_bucket_tags(artifacts.bucket), root.get_bucket_versioning(artifacts.bucket)],
            "objects": [(one.object_name, one.etag) for one in objects],
            "policy": _ordered(policies.get(artifacts.policy)),
            "user": users.get(artifacts.user),
        }

    def works(self) -> list[object]:
        """A token, an SQL login to both databases, and an object put and read, all by the store's secrets."""
        login, database, artifacts = self.settings.authentication, self.settings.database, self.settings.artifacts
        answer = requests.post(
            f"{self.servers.keycloak.url}/realms/{login.realm}/protocol/openid-connect/token",
            {
                "grant_type": "client_credentials",
                "client_id": login.machine_client,
                "client_secret": self.secret("machines", "client_secret"),
            },
            # Long: a Keycloak that serves several tests on two cores may need more than a minute.
            timeout=120,
        )
        password = self.secret("postgres", "password")
        for name in (database.name, database.auth_name):
            psycopg.connect(self.servers.postgres.dsn(user=database.role, password=password, database=name)).close()
        client = minio_client(self.servers.minio, artifacts.user, self.secret("s3", "secretkey"))
        client.put_object(artifacts.bucket, "run/model", BytesIO(b"kept"), 4)
        with client.get_object(artifacts.bucket, "run/model") as found:
            return [answer.status_code, found.read()]


WORKS = [200, b"kept"]


def changed(before: Sequence[Mapping[str, str]], after: Sequence[Mapping[str, str]]) -> list[str]:
    """Names of what differs between two lists of states."""
    pairs = zip(before, after, strict=True)
    return [name for old, new in pairs for name in old | new if old.get(name) != new.get(name)]


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        # Keycloak and MinIO give lists in no order of their own.
        return sorted((_ordered(item) for item in value), key=str)
    return {key: _ordered(item) for key, item in value.items()} if isinstance(value, dict) else value
