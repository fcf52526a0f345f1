"""PostgreSQL that fails in the middle, two runs at once, runs that are killed, and administrators with few rights."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import psycopg
import pytest
from sql import OURS, apply, context, execute, plan, signs, silent, verifier

from cdk8s_mlflow.settings import Settings
from live.servers import Postgres
from live.servers.process import free_port
from mlflow_bootstrap import engine, postgres
from mlflow_bootstrap.errors import RefusedError, UnreachableError
from mlflow_bootstrap.postgres.connection import Server

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]


@pytest.fixture
def ours(settings_of: SettingsOf, postgres_server: Postgres) -> Settings:
    """Settings that leave role and databases to the bootstrap."""
    return settings_of(database=OURS, bootstrap={"postgres_host": "localhost", "postgres_port": postgres_server.port})


def _killed(server: Postgres, settings: Settings, last: int) -> int | None:
    """Exit code of an apply in a process that gets SIGKILL in place of statement ``last``."""
    process = get_context("fork").Process(target=_dying, args=(server, settings, last))
    process.start()
    process.join()
    return process.exitcode


def _dying(server: Postgres, settings: Settings, last: int) -> None:
    numbers, once = iter(range(last)), Server._once

    def counted(self: Server, *arguments: Any) -> Any:
        if next(numbers, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return once(self, *arguments)

    # The one place through which every statement goes.
    Server._once = counted  # type: ignore[method-assign]
    apply(context(server, settings))


@pytest.mark.parametrize("last", range(9))
def test_run_killed_before_any_statement_can_continue(postgres_server: Postgres, ours: Settings, last: int) -> None:
    code = _killed(postgres_server, ours, last)

    done, after = apply(context(postgres_server, ours)), plan(context(postgres_server, ours))

    assert code == -signal.SIGKILL
    assert done.failures == ()
    assert (after.pending, after.failures) == ((), ())


def test_concurrent_runs_end_in_same_state(postgres_server: Postgres, settings_of: SettingsOf) -> None:
    for _ in range(10):
        ours = settings_of(
            database=OURS,
            bootstrap={"postgres_host": "localhost", "postgres_port": postgres_server.port, "attempts": 5},
        )

        with ThreadPoolExecutor() as threads:
            outcomes = list(threads.map(apply, [context(postgres_server, ours) for _ in range(2)]))

        assert [outcome.failures for outcome in outcomes] == [(), ()]
        assert plan(context(postgres_server, ours)).pending == ()


def test_server_restart_between_statements_is_survived(settings_of: SettingsOf) -> None:
    with Postgres() as server:
        ours = settings_of(database=OURS, bootstrap={"postgres_host": "localhost", "postgres_port": server.port})
        role, *databases = postgres.resources(context(server, ours))
        role.create()
        server.restart()

        outcome = engine.apply(databases, report=silent)

        assert [str(change)[0] for change in outcome.changes] == ["+", "+"]
        assert plan(context(server, ours)).pending == ()


def test_hanging_server_ends_run_in_time(postgres_server: Postgres, settings_of: SettingsOf) -> None:
    ours = settings_of(
        database=OURS,
        bootstrap={
            "postgres_host": "localhost",
            "postgres_port": postgres_server.port,
            "attempts": 2,
            "read_timeout_seconds": 1,
        },
    )
    apply(context(postgres_server, ours))
    role = ours.database.role
    execute(postgres_server, f"ALTER ROLE {role} CREATEDB")

    with psycopg.connect(postgres_server.superuser_dsn) as other:
        # Not committed, so it holds the row of the role for which the apply has to wait.
        other.execute(f"ALTER ROLE {role} SUPERUSER")
        hung = apply(context(postgres_server, ours))
        other.rollback()

    assert isinstance(hung.failures[0].error, UnreachableError)
    assert apply(context(postgres_server, ours)).failures == ()
    assert plan(context(postgres_server, ours)).pending == ()


def test_wrong_administrator_password_is_tried_once(postgres_server: Postgres, ours: Settings) -> None:
    # The log is the session's, with the failures of other tests.
    before = postgres_server.log.read_text().count("password authentication failed")

    with pytest.raises(RefusedError, match=r"refuses postgres \(password auth.*check PGUSER and PGPASSWORD") as caught:
        plan(context(postgres_server, ours, PGPASSWORD="a-guess"))

    assert caught.value.exit_code == 3
    assert "a-guess" not in str(caught.value)
    assert postgres_server.log.read_text().count("password authentication failed") == before + 1


def test_unreachable_server_is_named_with_remedy(postgres_server: Postgres, ours: Settings) -> None:
    nowhere = ours.model_copy(
        update={"bootstrap": ours.bootstrap.model_copy(update={"postgres_port": free_port(), "attempts": 2})}
    )

    with pytest.raises(UnreachableError, match=r"localhost:\d+ \(Connection refused\); check bootstrap.postgres_host"):
        plan(context(postgres_server, nowhere))


def _administrator(server: Postgres, name: str) -> dict[str, str]:
    execute(server, f"CREATE ROLE {name} LOGIN CREATEROLE CREATEDB PASSWORD 'of few rights'")
    return {"PGUSER": name, "PGPASSWORD": "of few rights"}


def test_createrole_and_createdb_suffice_for_all_commands(postgres_server: Postgres, ours: Settings) -> None:
    login = _administrator(postgres_server, f"few_{ours.database.role}")
    name = ours.database.name

    made = apply(context(postgres_server, ours, **login))
    execute(
        postgres_server,
        f"GRANT CONNECT ON DATABASE {name} TO PUBLIC",
        f"ALTER ROLE {ours.database.role} CREATEDB PASSWORD 'of others'",
    )
    repaired = apply(context(postgres_server, ours, **login))
    verified = plan(context(postgres_server, ours, **login))
    named = frozenset(change.address for change in made.changes)
    gone = engine.destroy(postgres.removable(context(postgres_server, ours, **login), data=named), report=silent)

    assert [outcome.failures for outcome in (made, repaired, verified, gone)] == [(), (), (), ()]
    assert len(repaired.pending) == 2
    assert verified.pending == ()
    assert [str(change)[0] for change in gone.changes] == ["-", "-", "-"]


def test_temporary_membership_is_revoked(postgres_server: Postgres, ours: Settings) -> None:
    login = _administrator(postgres_server, f"few_{ours.database.role}")

    apply(context(postgres_server, ours, **login))

    members = "SELECT count(*) FROM pg_auth_members WHERE roleid = '{}'::regrole"
    assert execute(postgres_server, members.format(ours.database.role)) == [(0,)]


def test_superuser_repair_is_refused_with_servers_reason(postgres_server: Postgres, ours: Settings) -> None:
    login = _administrator(postgres_server, f"few_{ours.database.role}")
    apply(context(postgres_server, ours, **login))
    execute(postgres_server, f"ALTER ROLE {ours.database.role} SUPERUSER")

    outcome = apply(context(postgres_server, ours, **login))

    assert isinstance(outcome.failures[0].error, RefusedError)
    assert "must be superuser" in str(outcome.failures[0])


def test_administrator_without_rights_changes_nothing(postgres_server: Postgres, ours: Settings) -> None:
    execute(postgres_server, f"CREATE ROLE no_{ours.database.role} LOGIN PASSWORD 'none'")

    outcome = apply(context(postgres_server, ours, PGUSER=f"no_{ours.database.role}", PGPASSWORD="none"))

    assert "permission denied to create role" in str(outcome.failures[0])
    assert len(outcome.failures) == 1
    assert verifier(postgres_server, ours.database.role) == ""


def test_login_that_asks_for_no_password_proves_none(settings_of: SettingsOf) -> None:
    with Postgres() as server:
        ours = settings_of(database=OURS, bootstrap={"postgres_host": "localhost", "postgres_port": server.port})
        apply(context(server, ours))
        execute(server, f"ALTER SYSTEM SET hba_file = '{server.folder}/trusting.conf'")
        (server.folder / "trusting.conf").write_text("host all all 127.0.0.1/32 trust\n")
        # PostgreSQL reads the name of this file only when it starts.
        server.restart()

        outcome = plan(context(server, ours))

        assert "asks" in signs(outcome)[-1]
        assert "let pg_hba.conf ask for scram-sha-256" in str(outcome.failures[0])
