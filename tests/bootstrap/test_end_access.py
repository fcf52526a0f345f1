"""``bootstrap.py end-access`` on a real Keycloak and PostgreSQL: a plan, and an apply that ends what it named."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from fault_proxy import FaultProxy, answers
from sso import administrator, apply, context, make_user

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak, Postgres
from mlflow_bootstrap import engine
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.end_access import END_ADMINISTRATOR, END_MEMBERSHIP, HASHES, ROWS, ended_access
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
CREATE TABLE user_identities (user_id integer, subject varchar);
CREATE TABLE groups (id serial, group_name varchar);
CREATE TABLE user_groups (user_id integer, group_id integer);
INSERT INTO users (username, is_service_account, password_hash) VALUES
  ('stays-NUMBER@example.com', false, 'scrypt:x'), ('left-NUMBER@example.com', false, 'scrypt:x'),
  ('robot', true, 'scrypt:x'), ('lost-NUMBER@example.com', false, 'scrypt:x'),
  ('ended-NUMBER@example.com', false, 'ended:1');
INSERT INTO user_tokens SELECT id FROM users WHERE username <> 'ended-NUMBER@example.com';
UPDATE users SET is_admin = true WHERE username = 'left-NUMBER@example.com';
INSERT INTO auth_sessions SELECT id FROM users WHERE username = 'left-NUMBER@example.com';
INSERT INTO groups (group_name) VALUES ('ADMINS'), ('USERS'), ('made by hand');
INSERT INTO user_groups SELECT users.id, groups.id FROM users CROSS JOIN groups;
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

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]


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
        names = {"NUMBER": number, "ADMINS": settings.authentication.admin_group}
        names["USERS"] = settings.authentication.user_group
        text = reduce(lambda text, name: text.replace(name, names[name]), names, USERS)
        connection.execute(text)  # type: ignore[arg-type]
    values = FixedValues({"postgres": {"password": PASSWORD}})
    found = context(keycloak_server, settings)
    return Realm(context=replace(found, values=values), dsn=dsn, number=number)


def test_plan_names_leavers_and_ends_nothing(realm: Realm) -> None:
    before = realm.query("SELECT * FROM users ORDER BY id")

    found = ended_access(realm.context)

    admins = realm.context.settings.authentication.admin_group
    assert {access.address: access.reason for access in found} == {
        f"access/{realm.email('left')}": "disabled",
        f"access/{realm.email('lost')}": "not in the realm",
        f"access/{realm.email('stays')}/{admins}": f"not in {admins}",
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


def test_rights_of_left_groups_are_ended(realm: Realm) -> None:
    realm.query("UPDATE users SET is_admin = true RETURNING 1")
    admins, users = realm.context.settings.authentication.admin_group, realm.context.settings.authentication.user_group

    done = engine.destroy(ended_access(realm.context), report=print)

    assert done.failures == ()
    held = "SELECT group_name FROM groups JOIN user_groups ON group_id = groups.id JOIN users ON user_id = users.id "
    stays = realm.query(f"{held} WHERE username = %s", realm.email("stays"))
    assert {name for (name,) in stays} == {users, "made by hand"}
    # Nobody's but an account's that the realm does not know.
    assert {name for (name,) in realm.query("SELECT username FROM users WHERE is_admin")} <= {
        "robot",
        realm.email("ended"),
    }
    # A machine that comes back finds its groups.
    assert (admins,) in realm.query(f"{held} WHERE username = %s", realm.email("left"))


def test_bound_account_follows_its_id(realm: Realm, keycloak_server: Keycloak, keycloak_realm: str) -> None:
    if not realm.context.settings.tested_release.sessions_in_database:
        pytest.skip("this release binds no account to an id")
    admin = administrator(keycloak_server, keycloak_realm)
    key = str(admin.get_user_id(f"stays-{realm.number}"))
    for name, subject in (("lost", key), ("stays", "00000000-0000-4000-8000-000000000000")):
        realm.query(
            "INSERT INTO user_identities SELECT id, %s FROM users WHERE username = %s RETURNING 1",
            subject,
            realm.email(name),
        )

    reasons = {access.address: access.reason for access in ended_access(realm.context) if not access.group}

    assert reasons == {
        f"access/{realm.email('left')}": "disabled",
        f"access/{realm.email('stays')}": "not in the realm",
    }


def test_half_answer_of_bound_user_ends_nothing(realm: Realm, keycloak_server: Keycloak) -> None:
    if not realm.context.settings.tested_release.sessions_in_database:
        pytest.skip("this release binds no account to an id")
    realm.query("INSERT INTO user_identities SELECT id, 'gone' FROM users WHERE username LIKE 'lost-%%' RETURNING 1")
    settings = realm.context.settings
    with FaultProxy(keycloak_server.url) as proxy:
        distant = settings.replace(bootstrap=settings.bootstrap.replace(keycloak_url=proxy.url))
        for answer in ("null", "[]", "{}"):
            proxy.spoil(
                answers(200, answer), when=f"GET /admin/realms/{quote(settings.authentication.realm)}/users/gone"
            )

            with pytest.raises(UnreachableError, match="is not whole"):
                ended_access(replace(realm.context, settings=distant))


def test_both_programs_run_same_statements() -> None:
    for ours, rows in ((HASHES, access_rows.HASHES), (ROWS, access_rows.ROWS)):
        assert (ours.select, ours.select_rights) == (rows.select, rows.select_rights)
        assert [_of_image(one) for one in ours.end] == [text for _, text in rows.end]
    assert _of_image(END_ADMINISTRATOR) == access_rows.END_ADMINISTRATOR
    assert _of_image(END_MEMBERSHIP) == access_rows.END_MEMBERSHIP


def _of_image(statement: str) -> str:
    # The image's statements pass through psycopg2, which reads %% as %.
    return statement.format(id="%(id)s", group="%(group)s").replace("%'", "%%'")
