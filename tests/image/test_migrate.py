"""``migrate`` on real PostgreSQL, for both releases: whatever it finds, it ends at the heads or changes nothing."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import official
import psycopg
import pytest
from pod import Done, Pod, Venv
from schema_dump import schema_dumps

pytestmark = pytest.mark.servers

Schemas = tuple[str, str]


@pytest.fixture(scope="module")
def official_schemas(make_pod: Callable[..., Pod]) -> Schemas:
    """What MLflow's and the plugin's own migrations make of empty databases."""
    pod = make_pod()
    done = pod.script(official.INITIALISE)
    assert done.code == 0, done.stderr
    return schema_dumps(pod.database)


@pytest.fixture(scope="module")
def old_once(make_pod: Callable[..., Pod]) -> Pod:
    """Databases at the first revisions that their packages ever had, with an experiment and a user."""
    pod = make_pod()
    done = pod.script(official.FIRST_REVISIONS)
    assert done.code == 0, done.stderr
    pod.database.query("INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (7, 'old', 'active')")
    pod.database.query(
        "INSERT INTO runs (run_uuid, experiment_id, user_id, status, source_type, lifecycle_stage)"
        " VALUES ('r', 7, 'ada', 'FINISHED', 'LOCAL', 'active')"
    )
    pod.database.query("INSERT INTO metrics (key, value, timestamp, run_uuid, step) VALUES ('loss', 0.5, 1, 'r', 3)")
    pod.database.query("INSERT INTO users (username, is_admin) VALUES ('ada@example.com', true)", service="mlflow_auth")
    return pod


@pytest.fixture
def old_pod(old_once: Pod, tmp_path: Path) -> Pod:
    """A pod with such databases of its own."""
    return old_once.copy(tmp_path)


def actions(done: Done) -> list[str]:
    assert done.code == 0, done.stderr
    return [line["action"] for line in done.results]


def test_empty_databases_get_schemas_of_packages(pod: Pod, official_schemas: Schemas) -> None:
    done = pod.migrate()

    assert actions(done) == ["initialised", "initialised"]
    assert schema_dumps(pod.database) == official_schemas


def test_current_databases_are_left_without_importing_mlflow(migrated_pod: Pod) -> None:
    before = schema_dumps(migrated_pod.database)

    # Python names each import on standard error.
    done = migrated_pod.run("migrate", PYTHONVERBOSE="1")

    assert actions(done) == ["none", "none"]
    assert schema_dumps(migrated_pod.database) == before
    assert "import 'mlflow_sso" in done.stderr
    assert "import 'mlflow'" not in done.stderr
    assert "import 'sqlalchemy'" not in done.stderr


def test_oldest_schemas_are_upgraded_with_their_data(old_pod: Pod, official_schemas: Schemas) -> None:
    done = old_pod.migrate()

    assert actions(done) == ["upgraded", "upgraded"]
    assert [line["found"] for line in done.results] == ["451aebb31d03", "8606fa83a998"]
    assert old_pod.database.query("SELECT name FROM experiments WHERE experiment_id = 7") == [("old",)]
    assert old_pod.database.query("SELECT key, value, step FROM latest_metrics") == [("loss", 0.5, 3)]
    assert old_pod.database.query("SELECT username, is_admin FROM users", service="mlflow_auth") == [
        ("ada@example.com", True)
    ]
    assert [dump.count("CREATE TABLE") for dump in schema_dumps(old_pod.database)] == [
        dump.count("CREATE TABLE") for dump in official_schemas
    ]


def test_killed_start_of_mlflow_is_finished(pod: Pod, official_schemas: Schemas) -> None:
    pod.script(official.HALF_MADE_TABLES)
    assert len(pod.database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")) == 3

    done = pod.migrate()

    assert actions(done) == ["initialised", "initialised"]
    assert schema_dumps(pod.database) == official_schemas


def test_concurrent_migrations_both_succeed(pod: Pod, official_schemas: Schemas) -> None:
    both = [pod.start("migrate"), pod.start("migrate")]
    ends = [process.communicate(timeout=180) for process in both]

    done = [
        Done(code=process.returncode, stdout=out, stderr=err) for process, (out, err) in zip(both, ends, strict=True)
    ]
    assert sorted(action for one in done for action in actions(one)) == ["initialised"] * 2 + ["none"] * 2
    assert schema_dumps(pod.database) == official_schemas


def test_endless_migration_is_waited_for_until_timeout(pod: Pod) -> None:
    with psycopg.connect(pod.database.dsn("mlflow")) as other:
        # The lock of another ``migrate``, as one holds it that hangs.
        other.execute("SELECT pg_advisory_lock(%s)", [int.from_bytes(b"mlflow", "big")])

        done = pod.migrate("--timeout", "1")

    assert done.code == 75
    assert "another migration still holds the lock" in done.stderr
    assert pod.database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def test_table_in_use_keeps_old_schema(old_pod: Pod) -> None:
    before = schema_dumps(old_pod.database)
    with psycopg.connect(old_pod.database.dsn("mlflow")) as server:
        # A transaction that has read a table keeps others from changing it until it ends.
        server.execute("SELECT * FROM metrics")

        done = old_pod.migrate("--timeout", "1")

    assert done.code == 75
    assert "other sessions have used its tables all the time" in done.stderr
    assert schema_dumps(old_pod.database) == before


def test_connect_is_revoked_from_public(pod: Pod) -> None:
    first, second = pod.migrate(), pod.migrate()

    assert [line["public_connect"] for line in first.results] == ["revoked now", "revoked now"]
    assert [line["public_connect"] for line in second.results] == ["revoked", "revoked"]
    assert pod.database.query("SELECT has_database_privilege('public', current_database(), 'CONNECT')") == [(False,)]


def test_role_without_database_migrates_and_keeps_connect(pod: Pod) -> None:
    for service in ("mlflow", "mlflow_auth"):
        pod.database.superuser("ALTER DATABASE {database} OWNER TO postgres", service=service)
        pod.database.superuser("GRANT CREATE ON SCHEMA public TO {role}", inside=service)

    done = pod.migrate()

    assert actions(done) == ["initialised", "initialised"]
    assert [line["public_connect"] for line in done.results] == ["granted", "granted"]


def test_role_without_create_is_told_remedy(pod: Pod) -> None:
    pod.database.superuser("ALTER DATABASE {database} OWNER TO postgres")

    done = pod.migrate()

    assert done.code == 1
    assert "may not create tables" in done.stderr
    assert f"OWNER TO {pod.database.role}" in done.stderr
    assert done.stdout == ""


def test_foreign_tables_are_named_and_unchanged(old_pod: Pod) -> None:
    old_pod.database.superuser("ALTER TABLE metrics OWNER TO postgres", inside="mlflow")
    before = schema_dumps(old_pod.database)

    done = old_pod.migrate()

    assert done.code == 1
    assert "does not own 1 of its tables, such as metrics of postgres" in done.stderr
    assert schema_dumps(old_pod.database) == before


def test_wrong_password_is_terminal_after_timeout(pod: Pod) -> None:
    service_file = pod.secrets_root / "db" / "pg_service.conf"
    service_file.write_text(service_file.read_text().replace(pod.database.password, "not-the-password"))

    done = pod.migrate("--timeout", "1")

    assert done.code == 1
    assert [line["message"] for line in done.progress][:1] == ["waiting for PostgreSQL"]
    assert "password authentication failed" in done.stderr
    assert "compare mlflow-db-secret" in done.stderr
    assert "not-the-password" not in done.stdout + done.stderr


def test_unknown_revision_is_refused_before_any_change(old_pod: Pod) -> None:
    old_pod.database.query("UPDATE alembic_version SET version_num = 'f00dfeed0000'")
    before = schema_dumps(old_pod.database)

    done = old_pod.migrate()

    assert done.code == 1
    assert f"f00dfeed0000, which MLflow {old_pod.venv.release} does not know" in done.stderr
    assert schema_dumps(old_pod.database) == before


def test_foreign_database_is_refused(pod: Pod) -> None:
    pod.database.query("CREATE TABLE invoices (id int)")

    done = pod.migrate()

    assert done.code == 1
    assert "such as invoices" in done.stderr
    assert pod.database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("invoices",)]


def test_unreachable_server_is_retryable(pod: Pod) -> None:
    # Nothing listens on port 9, which belongs to the discard protocol.
    done = pod.migrate("--timeout", "1", MLFLOW_BACKEND_STORE_URI="postgresql+psycopg2://mlflow@127.0.0.1:9/mlflow")

    assert done.code == 75
    assert "cannot reach PostgreSQL for mlflow" in done.stderr
    assert [line["message"] for line in done.progress][:1] == ["waiting for PostgreSQL"]


def test_escaped_uri_works_like_service_file(pod: Pod) -> None:
    database = pod.database
    address = f"{database.role}:{quote(database.password, safe='')}@127.0.0.1:{database.server.port}"
    done = pod.migrate(
        MLFLOW_BACKEND_STORE_URI=f"postgresql+psycopg2://{address}/{database.name('mlflow')}?sslmode=disable",
    )

    assert actions(done) == ["initialised", "initialised"]
    assert database.password not in done.stderr


@pytest.mark.parametrize(
    ("uri", "code", "said"),
    [
        ("sqlite:////tmp/mlflow.db", 2, "MLFLOW_BACKEND_STORE_URI starts with 'sqlite'"),
        ("postgresql+psycopg2:///?service=nowhere", 1, "pg_service.conf"),
        ("postgresql+psycopg2://a:s3cr%ZZt@127.0.0.1/b", 1, "libpq cannot read MLFLOW_BACKEND_STORE_URI"),
    ],
)
def test_address_that_cannot_work_is_refused_at_once(pod: Pod, uri: str, code: int, said: str) -> None:
    done = pod.migrate(MLFLOW_BACKEND_STORE_URI=uri)

    assert done.code == code
    assert said in done.stderr
    assert "s3cr" not in done.stderr
    assert done.progress == []


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_current_release_upgrades_database_of_baseline(make_pod: Callable[..., Pod], official_schemas: Schemas) -> None:
    new = make_pod()
    old = Pod(venv=Venv(release="3.6.0"), folder=new.folder, database=new.database, bucket=new.bucket)
    assert actions(old.run("migrate")) == ["initialised", "initialised"]

    upgraded = new.migrate()
    refused = old.run("migrate")

    assert actions(upgraded) == ["upgraded", "upgraded"]
    assert schema_dumps(new.database) == official_schemas
    assert refused.code == 1
    assert "newer than this image" in refused.stderr
