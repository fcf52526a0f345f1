"""``bootstrap.py end-access`` on a real Keycloak and PostgreSQL: a plan, and an apply that ends what it named."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from sso import administrator, apply, context, make_user

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak, Postgres
from mlflow_bootstrap import engine
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.end_access import HASHES, ROWS, ended_access
from mlflow_bootstrap.errors import UnreachableError
from mlflow_bootstrap.values import FixedValues
from mlflow_sso import access_rows

pytestmark = pytest.mark.servers

PASSWORD = "the password of the role of end-access"
USERS = """
CREATE TABLE users
  (id serial, username text, is_service_account boolean, is_admin boolean DEFAULT false, password_hash text,
   password_expiration timestamp);
CREATE TABLE user_tokens (user_id integer);
CREATE TABLE auth_sessions (user_id integer);
INSERT INTO users (username, is_service_account, password_hash) VALUES
  ('stays-NUMBER@example.com', false, 'scrypt:x'), ('left-NUMBER@example.com', false, 'scrypt:x'),
  ('robot', true, 'scrypt:x'), ('lost-NUMBER@example.com', false, 'scrypt:x'),
  ('ended-NUMBER@example.com', false, 'ended:1');
INSERT INTO user_tokens SELECT id FROM users WHERE username <> 'ended-NUMBER@example.com';
UPDATE users SET is_admin = true WHERE username = 'left-NUMBER@example.com';
INSERT INTO auth_sessions SELECT id FROM users WHERE username = 'left-NUMBER@example.com';
"""
"""As much of the plugins' schemas as is read; the image's tests have the whole."""


@dataclass(frozen=True, kw_only=True)
class Realm:
    """An applied environment whose database has users."""

    context: Context
    dsn: str
    number: str
    """Ends the names of its users."""

    def email(self, name: str) -> str:
        return f"{name}-{self.number}@example.com"

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]


@pytest.fixture(params=["3.6.0", "3.17.2"])
def realm(
    request: pytest.FixtureRequest,
    keycloak_server: Keycloak,
    keycloak_settings: Callable[..., Settings],
    keycloak_realm: str,
    postgres_server: Postgres,
) -> Realm:
    base = keycloak_settings(release=request.param, machine_client=None)
    database = base.database.replace(host="db.example.com", sslmode="disable")
    patience = base.bootstrap.replace(postgres_host="127.0.0.1", postgres_port=postgres_server.port)
    settings = base.replace(database=database, bootstrap=patience)
    assert apply(context(keycloak_server, settings)).failures == ()
    admin = administrator(keycloak_server, keycloak_realm)
    number = settings.authentication.client_id
    for name, group in (("stays", settings.authentication.user_group), ("left", settings.authentication.admin_group)):
        key = make_user(admin, f"{name}-{number}", group)
        admin.update_user(key, {"enabled": name == "stays"})
    role, name = settings.database.role, settings.database.auth_name
    # Only Keycloak's part was applied; of the database just what end-access reads is needed.
    superuser = postgres_server.dsn(user=postgres_server.superuser, password=postgres_server.superuser_password)
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")  # type: ignore[arg-type]
        connection.execute(f"CREATE DATABASE {name} OWNER {role}")  # type: ignore[arg-type]
    dsn = postgres_server.dsn(user=role, password=PASSWORD, database=name)
    with psycopg.connect(dsn) as connection:
        connection.execute(USERS.replace("NUMBER", number))  # type: ignore[arg-type]
    values = FixedValues({"postgres": {"password": PASSWORD}})
    found = context(keycloak_server, settings)
    return Realm(context=replace(found, values=values), dsn=dsn, number=number)


def test_plan_names_leavers_and_ends_nothing(realm: Realm) -> None:
    before = realm.query("SELECT * FROM users ORDER BY id")

    found = ended_access(realm.context)

    assert {access.address: access.reason for access in found} == {
        f"access/{realm.email('left')}": "disabled",
        f"access/{realm.email('lost')}": "not in the realm",
    }
    assert realm.query("SELECT * FROM users ORDER BY id") == before


def test_apply_ends_what_was_planned(realm: Realm) -> None:
    done = engine.destroy(ended_access(realm.context), report=print)

    assert done.failures == ()
    assert ended_access(realm.context) == []
    left = {name for (name,) in realm.query("SELECT username FROM users JOIN user_tokens ON user_id = id")}
    hashes = dict(realm.query("SELECT username, left(password_hash, 6) FROM users"))
    # Release 3.6.0 has its one key in the row of the user; 3.17.2 has rows of keys.
    rows = realm.context.settings.tested_release.sessions_in_database
    assert rows == (left == {realm.email("stays"), "robot"})
    assert (hashes[realm.email("left")] == "ended:") is not rows
    assert hashes[realm.email("stays")] == "scrypt"
    assert realm.query("SELECT username FROM users WHERE is_admin") == []


def test_realm_without_members_ends_nothing(realm: Realm, keycloak_server: Keycloak, keycloak_realm: str) -> None:
    admin = administrator(keycloak_server, keycloak_realm)
    # The last member: an empty list is a fault of Keycloak's more likely than the truth.
    admin.update_user(str(admin.get_user_id(f"stays-{realm.number}")), {"enabled": False})

    with pytest.raises(UnreachableError, match="names no member"):
        ended_access(realm.context)


def test_both_programs_run_same_statements() -> None:
    for (select, statements), rows in ((HASHES, access_rows.HASHES), (ROWS, access_rows.ROWS)):
        assert select == rows.select
        # The image's statements pass through psycopg2, which reads %% as %.
        assert [one.format(id="%(id)s").replace("%'", "%%'") for one in statements] == [text for _, text in rows.end]
