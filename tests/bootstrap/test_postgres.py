"""PostgreSQL's role and databases on a real server: planned, created once, repaired, and nothing else changed."""

from collections.abc import Callable

import psycopg
import pytest
from changes import named
from psycopg import sql
from pydantic import SecretStr
from sql import OURS, PASSWORD, apply, context, execute, plan, signs, silent, state, statements, verifier

from cdk8s_mlflow.settings import Settings
from live.servers import Postgres
from live.servers.process import free_port
from mlflow_bootstrap import engine, postgres
from mlflow_bootstrap.engine import Action
from mlflow_bootstrap.ownership import Adoption
from testbed.servers import PgBouncer

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]


@pytest.fixture
def ours(settings_of: SettingsOf, postgres_server: Postgres) -> Settings:
    """Settings that leave role and databases to the bootstrap."""
    return settings_of(database=OURS, bootstrap={"postgres_host": "localhost", "postgres_port": postgres_server.port})


def test_plan_on_empty_server_writes_nothing(postgres_server: Postgres, ours: Settings) -> None:
    before = state(postgres_server)

    planned = plan(context(postgres_server, ours))

    assert [change.action for change in planned.changes] == [Action.CREATE] * 3
    assert state(postgres_server) == before


def test_empty_server_gets_role_and_private_databases(postgres_server: Postgres, ours: Settings) -> None:
    database = ours.database

    done = apply(context(postgres_server, ours))

    assert signs(done) == [
        f"+ postgres/role/{database.role}",
        f"+ postgres/database/{database.name}",
        f"+ postgres/database/{database.auth_name}",
    ]
    psycopg.connect(postgres_server.dsn(user=database.role, password=PASSWORD, database=database.name)).close()
    execute(postgres_server, f"CREATE ROLE other_of_{database.role} LOGIN PASSWORD 'other'")
    assert verifier(postgres_server, database.role).startswith("SCRAM-SHA-256$")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(
            postgres_server.dsn(user=f"other_of_{database.role}", password="other", database=database.auth_name)
        )


def test_second_apply_and_verify_take_one_statement_each(postgres_server: Postgres, ours: Settings) -> None:
    apply(context(postgres_server, ours))
    before = state(postgres_server)

    with statements(postgres_server) as executed:
        again, verified = apply(context(postgres_server, ours)), plan(context(postgres_server, ours))

    assert (again.pending, again.failures) == ((), ())
    assert (verified.pending, verified.failures) == ((), ())
    assert [text.strip()[:6] for text in executed] == ["SELECT", "SELECT"]
    assert state(postgres_server) == before


def test_bootstrap_works_through_pooler(postgres_server: Postgres, settings_of: SettingsOf) -> None:
    port = free_port()
    ours = settings_of(database=OURS, bootstrap={"postgres_host": "localhost", "postgres_port": port})
    users = {postgres_server.superuser: postgres_server.superuser_password, ours.database.role: PASSWORD}

    with PgBouncer(postgres=postgres_server, users=users, port=port):
        done, again = apply(context(postgres_server, ours)), plan(context(postgres_server, ours))
        role = context(postgres_server, ours)
        connection = postgres.login.Login(role).connect(
            ours.database.role, SecretStr(PASSWORD), database=ours.database.name
        )
        # psycopg prepares a statement after some executions, and a pooler's next session would not know it.
        repeated = [connection.execute("SELECT 1").fetchone() for _ in range(40)]
        connection.close()

    assert (len(signs(done)), done.failures) == (3, ())
    assert (again.pending, again.failures) == ((), ())
    assert repeated == [(1,)] * 40


def test_password_is_in_no_statement(postgres_server: Postgres, ours: Settings) -> None:
    with statements(postgres_server) as executed:
        apply(context(postgres_server, ours))

    assert "SCRAM-SHA-256$" in "".join(executed)
    assert "password of the store" not in postgres_server.log.read_text()


@pytest.mark.parametrize(
    ("drift", "field"),
    [
        ("NOLOGIN", "login"),
        ("SUPERUSER", "superuser"),
        ("CREATEDB", "create_databases"),
        ("CREATEROLE", "create_roles"),
        ("REPLICATION", "replication"),
        ("BYPASSRLS", "bypass_row_security"),
        ("NOINHERIT", "inherit"),
        ("CONNECTION LIMIT 7", "connection_limit"),
        ("VALID UNTIL '2099-01-01'", "expires"),
        ("PASSWORD 'of others'", "password"),
        ("PASSWORD NULL", "password"),
    ],
)
def test_drift_of_role_is_seen_and_repaired(postgres_server: Postgres, ours: Settings, drift: str, field: str) -> None:
    apply(context(postgres_server, ours))
    execute(postgres_server, f"ALTER ROLE {ours.database.role} {drift}")

    planned, done, after = (run(context(postgres_server, ours)) for run in (plan, apply, plan))

    # Without LOGIN, no login can prove the password.
    fields = "login, password" if field == "login" else field
    assert [named(change) for change in planned.pending] == [f"~ postgres/role/{ours.database.role}  ({fields})"]
    assert done.failures == ()
    assert after.pending == ()


def test_drift_of_database_is_seen_and_repaired(postgres_server: Postgres, ours: Settings) -> None:
    name = ours.database.name
    apply(context(postgres_server, ours))
    execute(postgres_server, f"ALTER DATABASE {name} OWNER TO postgres", f"GRANT CONNECT ON DATABASE {name} TO PUBLIC")

    planned, done, after = (run(context(postgres_server, ours)) for run in (plan, apply, plan))

    assert [named(change) for change in planned.pending] == [f"~ postgres/database/{name}  (owner, public_connect)"]
    assert done.failures == ()
    assert after.pending == ()


def test_what_others_added_to_role_and_databases_survives(postgres_server: Postgres, ours: Settings) -> None:
    role, name = ours.database.role, ours.database.name
    apply(context(postgres_server, ours))
    execute(
        postgres_server,
        f"CREATE ROLE readers_of_{role}",
        f"GRANT readers_of_{role} TO {role}",
        f"ALTER ROLE {role} SET statement_timeout = '7min'",
        f"ALTER DATABASE {name} SET work_mem = '7MB'",
        f"GRANT CONNECT ON DATABASE {name} TO readers_of_{role}",
    )
    before = state(postgres_server)
    configured = execute(postgres_server, "SELECT * FROM pg_db_role_setting ORDER BY 1, 2")
    execute(postgres_server, f"ALTER ROLE {role} CREATEDB PASSWORD 'x'", f"GRANT CONNECT ON DATABASE {name} TO PUBLIC")

    done = apply(context(postgres_server, ours))

    assert len(done.pending) == 2
    assert state(postgres_server)[1:] == before[1:]
    assert execute(postgres_server, "SELECT * FROM pg_db_role_setting ORDER BY 1, 2") == configured


def test_password_that_logs_in_is_not_written_again(postgres_server: Postgres, ours: Settings) -> None:
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(ours.database.role), PASSWORD)
    execute(postgres_server, statement.as_string())
    before = state(postgres_server)[0]

    done = apply(context(postgres_server, ours), Adoption(earlier=True))

    assert signs(done)[0] == f"~ postgres/role/{ours.database.role}  ()"
    assert state(postgres_server)[0] == before


def test_md5_password_becomes_scram(postgres_server: Postgres, ours: Settings) -> None:
    role = ours.database.role
    execute(postgres_server, "SET password_encryption = md5", f"CREATE ROLE {role} LOGIN PASSWORD 'old'")

    adoption = Adoption(addresses=frozenset({f"postgres/role/{role}"}))
    done = apply(context(postgres_server, ours, password="old"), adoption)

    assert signs(done)[0] == f"~ postgres/role/{role}  (password)"
    assert verifier(postgres_server, role).startswith("SCRAM-SHA-256$")


@pytest.mark.parametrize(
    "name",
    ['a "quoted" name', "it's", "100% sure %s", "with space ", "база данных", "a;b--c", "{braces}", "back\\slash"],
)
def test_any_legal_name_is_taken_as_it_is(postgres_server: Postgres, settings_of: SettingsOf, name: str) -> None:
    names = {"role": f"{name} r", "name": f"{name} d", "auth_name": f"{name} a"}
    settings = settings_of(
        database=OURS | names, bootstrap={"postgres_host": "localhost", "postgres_port": postgres_server.port}
    )

    done, after = apply(context(postgres_server, settings)), plan(context(postgres_server, settings))

    assert done.failures == ()
    assert (after.pending, after.failures) == ((), ())
    dsn = postgres_server.dsn(user=names["role"], password=PASSWORD, database=names["name"])
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == (
            names["role"],
            names["name"],
        )


def test_destroy_that_names_no_data_keeps_everything(postgres_server: Postgres, ours: Settings) -> None:
    apply(context(postgres_server, ours))
    before = state(postgres_server)

    resources = postgres.removable(context(postgres_server, ours), data=frozenset())

    assert signs(engine.destroy(resources, report=silent)) == []
    assert state(postgres_server) == before


def test_destroy_deletes_only_named_database(postgres_server: Postgres, ours: Settings) -> None:
    apply(context(postgres_server, ours))
    address = f"postgres/database/{ours.database.auth_name}"

    resources = postgres.removable(context(postgres_server, ours), data=frozenset({address}))

    assert signs(engine.destroy(resources, report=silent)) == [f"- {address}"]
    assert signs(plan(context(postgres_server, ours))) == [
        f"= postgres/role/{ours.database.role}",
        f"= postgres/database/{ours.database.name}",
        f"+ {address}",
    ]


def test_destroy_of_both_databases_takes_role_too(postgres_server: Postgres, ours: Settings) -> None:
    apply(context(postgres_server, ours))
    database = ours.database
    named = frozenset({f"postgres/database/{database.name}", f"postgres/database/{database.auth_name}"})

    outcome = engine.destroy(postgres.removable(context(postgres_server, ours), data=named), report=silent)

    assert signs(outcome)[-1] == f"- postgres/role/{database.role}"
    assert outcome.failures == ()
    assert [change.action for change in plan(context(postgres_server, ours)).changes] == [Action.CREATE] * 3


def test_role_with_foreign_objects_is_not_dropped(postgres_server: Postgres, ours: Settings) -> None:
    apply(context(postgres_server, ours))
    database = ours.database
    # In another database: dropping those of the environment does not drop it.
    execute(postgres_server, f"CREATE SCHEMA of_{database.role} AUTHORIZATION {database.role}")
    named = frozenset({f"postgres/database/{database.name}", f"postgres/database/{database.auth_name}"})

    outcome = engine.destroy(postgres.removable(context(postgres_server, ours), data=named), report=silent)

    assert [change.action for change in outcome.changes] == [Action.DELETE] * 2
    assert "cannot be dropped because some objects depend on it" in str(outcome.failures[0])


def test_database_in_use_is_not_dropped(postgres_server: Postgres, ours: Settings) -> None:
    apply(context(postgres_server, ours))
    address = f"postgres/database/{ours.database.name}"
    dsn = postgres_server.dsn(user=ours.database.role, password=PASSWORD, database=ours.database.name)

    with psycopg.connect(dsn) as user:
        resources = postgres.removable(context(postgres_server, ours), data=frozenset({address}))
        outcome = engine.destroy(resources, report=silent)
        still = user.execute("SELECT 1").fetchone()

    assert "is being accessed by other users" in str(outcome.failures[0])
    assert still == (1,)
