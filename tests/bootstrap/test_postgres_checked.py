"""Role and databases that CloudNativePG makes: checked as the role itself, without an administrator's login."""

from collections.abc import Callable

import pytest
from sql import OURS, PASSWORD, apply, context, execute, plan, signs, state, statements

from cdk8s_mlflow.settings import Settings
from live.servers import Postgres
from mlflow_bootstrap.errors import MissingError, RefusedError

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
THEIRS = {"host": "db.example.com", "sslmode": "disable"}


@pytest.fixture
def made(settings_of: SettingsOf, postgres_server: Postgres) -> Settings:
    """Settings that leave all to CloudNativePG, on a server that has all of it."""
    ours = settings_of(database=OURS, bootstrap={"postgres_host": "localhost", "postgres_port": postgres_server.port})
    apply(context(postgres_server, ours))
    theirs = {"role_management": "database-role", "database_management": "cnpg"}
    return ours.model_copy(update={"database": ours.database.model_copy(update=theirs)})


def test_check_as_role_takes_one_statement(postgres_server: Postgres, made: Settings) -> None:
    without_login = context(postgres_server, made, PGUSER="", PGPASSWORD="")

    with statements(postgres_server) as executed:
        outcome = plan(without_login)

    assert [str(change)[0] for change in outcome.changes] == ["=", "=", "="]
    assert outcome.failures == ()
    assert len(executed) == 1


@pytest.mark.parametrize(
    ("management", "remedy"),
    [
        ("database-role", "from DatabaseRole mlflow and its password from Secret mlflow-db-role: deliver dist/ first"),
        ("managed-roles", "from spec.managed.roles of Cluster postgres/postgres-cluster"),
    ],
)
def test_failing_role_is_named_with_its_creator(
    postgres_server: Postgres, settings_of: SettingsOf, management: str, remedy: str
) -> None:
    settings = settings_of(
        database=THEIRS | {"role_management": management},
        bootstrap={"postgres_host": "localhost", "postgres_port": postgres_server.port},
    )

    with pytest.raises(RefusedError, match=remedy):
        plan(context(postgres_server, settings))


def test_missing_database_is_named_with_its_creator(postgres_server: Postgres, made: Settings) -> None:
    execute(postgres_server, f"DROP DATABASE {made.database.name}")

    outcome = apply(context(postgres_server, made))

    assert signs(outcome)[:2] == [
        f"= postgres/role/{made.database.role}",
        f"= postgres/database/{made.database.auth_name}",
    ]
    assert isinstance(outcome.failures[0].error, MissingError)
    assert "does not exist; CloudNativePG creates it from a Database object: deliver dist/ first" in signs(outcome)[2]


def test_drift_is_shown_and_left_to_owner(postgres_server: Postgres, made: Settings) -> None:
    name, role = made.database.name, made.database.role
    execute(postgres_server, f"ALTER ROLE {role} CREATEDB", f"GRANT CONNECT ON DATABASE {name} TO PUBLIC")
    before = state(postgres_server)

    planned, done = plan(context(postgres_server, made)), apply(context(postgres_server, made))

    assert planned.changes == ()
    assert signs(planned) == signs(done)
    assert "differs in create_databases; CloudNativePG creates the role" in signs(done)[-1]
    assert state(postgres_server) == before


def test_everybodys_connect_is_left_to_migration(postgres_server: Postgres, made: Settings) -> None:
    execute(postgres_server, f"GRANT CONNECT ON DATABASE {made.database.name} TO PUBLIC")

    done = apply(context(postgres_server, made))

    assert "everybody may connect" in signs(done)[-1]
    assert "the migration Job, which runs as its owner, revokes that" in signs(done)[-1]


def test_missing_password_is_created_before_check(postgres_server: Postgres, made: Settings) -> None:
    with pytest.raises(MissingError, match=r"password of postgres is not in the secret store; run `bootstrap.py secr"):
        plan(context(postgres_server, made, password=None))


def test_databases_are_created_for_role_of_cloudnativepg(postgres_server: Postgres, settings_of: SettingsOf) -> None:
    mixed = settings_of(
        database=OURS | {"role_management": "managed-roles"},
        bootstrap={"postgres_host": "localhost", "postgres_port": postgres_server.port},
    )
    second = apply(context(postgres_server, mixed))
    execute(
        # CREATE ROLE takes no parameters, so the quote is doubled by hand.
        postgres_server,
        f"CREATE ROLE {mixed.database.role} LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'",
    )

    outcome = apply(context(postgres_server, mixed))

    assert [str(failure).split(";")[0] for failure in second.failures] == [
        f"! postgres/role/{mixed.database.role}: role {mixed.database.role} does not exist"
    ]
    assert [str(change)[0] for change in outcome.changes] == ["=", "+", "+"]
