"""PostgreSQL's role and databases on a real server: planned, made once, repaired, and nothing else touched."""

from collections.abc import Callable

import psycopg
import pytest

from bootstrap import postgres
from bootstrap.credentials import Credentials
from bootstrap.engine import Action, Outcome, apply, plan
from bootstrap.systems import Context
from bootstrap.values import FixedValues
from cdk8s_mlflow.settings import Settings
from live.servers import Postgres

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
OURS = {"role_management": "bootstrap", "database_management": "bootstrap", "host": "localhost", "sslmode": "disable"}
PASSWORD = "the password of the store, with 'quotes' and %s"


def _context(server: Postgres, settings: Settings, *, password: str | None = PASSWORD, **environ: str) -> Context:
    given = {"PGUSER": server.superuser, "PGPASSWORD": server.superuser_password} | environ
    values = {"postgres": {"password": password}} if password else {}
    return Context(settings=settings, credentials=Credentials(environ=given, ask=None), values=FixedValues(values))


def _silent(_: object) -> None:
    return None


def _apply(context: Context) -> Outcome:
    return apply(postgres.resources(context), report=_silent)


def _plan(context: Context) -> Outcome:
    return plan(postgres.resources(context), report=_silent)


def _signs(outcome: Outcome) -> list[str]:
    return [str(item) for item in (*outcome.changes, *outcome.failures)]


@pytest.fixture
def ours(settings_of: SettingsOf, postgres_server: Postgres) -> Settings:
    """Settings that leave role and databases to the bootstrap."""
    return settings_of(database=OURS, bootstrap={"postgres_port": postgres_server.port})


def test_an_empty_server_gets_role_and_databases(postgres_server: Postgres, ours: Settings) -> None:
    context = _context(postgres_server, ours)

    planned, done, after = _plan(context), _apply(context), _plan(context)

    assert [change.action for change in planned.changes] == [Action.CREATE] * 3
    assert [change.action for change in done.changes] == [Action.CREATE] * 3
    assert done.failures == ()
    assert [change.action for change in after.changes] == [Action.KEEP] * 3
    dsn = postgres_server.dsn(user=ours.database.role, password=PASSWORD, database=ours.database.auth_name)
    psycopg.connect(dsn).close()
