"""``wait-for-schema`` before, during and after a migration, for both releases."""

from dataclasses import replace

import psycopg
import pytest
from pod import Database, Pod

from live.servers import Postgres

pytestmark = [pytest.mark.servers, pytest.mark.either_release]


def test_wait_names_missing_schema_after_timeout(pod: Pod) -> None:
    done = pod.run("wait-for-schema", "--timeout", "1")

    assert done.code == 75
    assert "mlflow is at no revision, not yet at" in done.stderr
    assert "waiting for the migration" in [line["message"] for line in done.progress]
    assert pod.database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def test_wait_ends_when_both_databases_are_migrated(pod: Pod) -> None:
    waiting = pod.start("wait-for-schema", "--timeout", "120")
    assert waiting.stderr
    first_line = waiting.stderr.readline()

    migrated = pod.migrate()
    out, err = waiting.communicate(timeout=120)

    assert "waiting for the migration" in first_line
    assert migrated.code == 0, migrated.stderr
    assert waiting.returncode == 0, err
    assert out.count('"ready": true') == 2


def test_wait_needs_only_to_read_revisions(pod: Pod) -> None:
    pod.migrate()
    for service in ("mlflow", "mlflow_auth"):
        pod.database.superuser("REASSIGN OWNED BY {role} TO postgres", inside=service)
        pod.database.superuser("GRANT CONNECT ON DATABASE {database} TO {role}", service=service)
        pod.database.superuser("GRANT SELECT ON alembic_version TO {role}", inside=service)

    done = pod.run("wait-for-schema")

    assert done.code == 0, done.stderr
    assert [line["revision"] for line in done.results] == [pod.database.revision(s) for s in ("mlflow", "mlflow_auth")]


def test_newer_schema_is_refused_at_once(migrated_pod: Pod) -> None:
    # A revision that the release does not know is taken for a newer one.
    migrated_pod.database.query("UPDATE alembic_version SET version_num = 'f00dfeed0000'", service="mlflow_auth")

    done = migrated_pod.run("wait-for-schema", "--timeout", "60")

    assert done.code == 1
    assert "mlflow_auth is at revision f00dfeed0000" in done.stderr
    assert done.progress == []


def test_server_that_comes_up_late_is_waited_for(pod: Pod) -> None:
    with Postgres() as server:
        late = replace(pod, database=Database(server=server))
        late.database.create()
        late.mount()
        assert late.migrate().code == 0
        server.stop()

        waiting = late.start("wait-for-schema", "--timeout", "120")
        assert waiting.stderr
        first_line = waiting.stderr.readline()
        server.start()
        _, err = waiting.communicate(timeout=120)

    assert "Connection refused" in first_line
    assert waiting.returncode == 0, err


def test_without_right_to_read_it_says_so(migrated_pod: Pod) -> None:
    migrated_pod.database.superuser("ALTER TABLE alembic_version OWNER TO postgres", inside="mlflow")

    done = migrated_pod.run("wait-for-schema")

    assert done.code == 1
    assert "permission denied for table alembic_version" in done.stderr


def test_it_holds_no_connection_between_two_looks(pod: Pod) -> None:
    waiting = pod.start("wait-for-schema", "--timeout", "60")
    assert waiting.stderr
    waiting.stderr.readline()

    # The line was written before a wait, so this is between two looks.
    with psycopg.connect(pod.database.server.superuser_dsn) as connection:
        sessions = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [pod.database.role]
        ).fetchone()
    waiting.terminate()
    waiting.communicate(timeout=300)

    assert sessions == (0,)
