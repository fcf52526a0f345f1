"""The indexes that ``migrate`` adds to those of MLflow and of the plugin, for both releases."""

import json
from typing import Any, LiteralString

import psycopg
import pytest
from pod import Pod
from psycopg.sql import SQL, Identifier

pytestmark = pytest.mark.servers

TRACKING = {
    "mlflow_sso_logged_models_experiment_created",
    "mlflow_sso_model_versions_run",
    "mlflow_sso_runs_experiment_start",
    "mlflow_sso_runs_experiment_start_nulls_last",
    "mlflow_sso_tags_parent_run",
}

SEED: tuple[LiteralString, ...] = (
    "INSERT INTO experiments (experiment_id, name, lifecycle_stage)"
    " SELECT e, e, 'active' FROM generate_series(1, 200) AS e",
    "INSERT INTO runs (run_uuid, experiment_id, start_time, lifecycle_stage)"
    " SELECT md5(n::text), CASE n % 2 WHEN 0 THEN 7 ELSE 1 + n % 200 END, n, 'active'"
    " FROM generate_series(1, 20000) AS n",
    "INSERT INTO tags (key, value, run_uuid) SELECT key, md5((n / 5)::text), md5(n::text)"
    " FROM generate_series(1, 20000) AS n, (VALUES ('mlflow.parentRunId'), ('mlflow.user')) AS keys (key)",
    "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,"
    " last_updated_timestamp_ms, status, lifecycle_stage)"
    " SELECT 'm-' || n, CASE n % 2 WHEN 0 THEN 7 ELSE 1 + n % 200 END, 'model', '', n, n, 1, 'active'"
    " FROM generate_series(1, 20000) AS n",
    "INSERT INTO registered_models (name) VALUES ('churn')",
    "INSERT INTO model_versions (name, version, run_id)"
    " SELECT 'churn', n, md5(n::text) FROM generate_series(1, 20000) AS n",
    # Without statistics PostgreSQL would plan for tables of another size.
    "ANALYZE",
)
SEED_AUTH: tuple[LiteralString, ...] = (
    "INSERT INTO users (username, display_name, is_admin, is_service_account)"
    " SELECT n, n, false, false FROM generate_series(1, 300) AS n",
    "INSERT INTO experiment_permissions (experiment_id, user_id, permission)"
    " SELECT n, 1 + n % 300, 'READ' FROM generate_series(1, 50000) AS n",
    "ANALYZE",
)
PLANS: dict[str, LiteralString] = {
    "mlflow_sso_runs_experiment_start": "SELECT * FROM runs WHERE experiment_id IN ('7')"
    " AND lifecycle_stage IN ('active') ORDER BY start_time DESC, run_uuid LIMIT 100 OFFSET 0",
    "mlflow_sso_runs_experiment_start_nulls_last": "SELECT *, CASE WHEN (runs.start_time IS NULL) THEN 1 ELSE 0 END"
    " AS clause_1 FROM runs WHERE experiment_id IN ('7') AND lifecycle_stage IN ('active')"
    " ORDER BY clause_1, start_time DESC, run_uuid LIMIT 100",
    "mlflow_sso_tags_parent_run": "SELECT * FROM runs JOIN (SELECT run_uuid FROM tags WHERE key = 'mlflow.parentRunId'"
    " AND value = '0cc175b9c0f1b6a831c399e269772661') AS children USING (run_uuid) WHERE experiment_id IN ('7')",
    "mlflow_sso_logged_models_experiment_created": "SELECT * FROM logged_models WHERE experiment_id IN (7)"
    " AND lifecycle_stage != 'deleted' ORDER BY creation_timestamp_ms DESC LIMIT 100",
    "mlflow_sso_model_versions_run": "SELECT * FROM model_versions WHERE run_id IN ('0cc175b9c0f1b6a831c399e269772661')"
    " AND current_stage != 'Deleted_Internal'",
    "mlflow_sso_experiment_permissions_user_id": "SELECT * FROM experiment_permissions WHERE user_id = 7",
}


@pytest.fixture(scope="module")
def large(migrated_once: Pod, tmp_path_factory: pytest.TempPathFactory) -> Pod:
    """Databases with enough in them that an index matters."""
    pod = migrated_once.copy(tmp_path_factory.mktemp("large"))
    for service, statements in (("mlflow", SEED), ("mlflow_auth", SEED_AUTH)):
        with psycopg.connect(pod.database.dsn(service), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)
    return pod


def names(pod: Pod, service: str = "mlflow") -> set[str]:
    query = (
        "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'mlflow_sso_%%' AND tablename NOT LIKE 'mlflow_sso_%%'"
    )
    rows = pod.database.query(query, service=service)
    return {name for (name,) in rows}


@pytest.mark.parametrize("index", PLANS)
def test_index_makes_its_query_cheaper(large: Pod, index: str) -> None:
    service = "mlflow_auth" if "permissions" in index else "mlflow"
    with psycopg.connect(large.database.dsn(service)) as connection:
        after = query_plan(connection, PLANS[index])
        connection.execute(SQL("DROP INDEX {}").format(Identifier(index)))
        before = query_plan(connection, PLANS[index])
        # The index is there again for the next query.
        connection.rollback()

    assert f'"Index Name": "{index}"' in json.dumps(after)
    assert f'"Index Name": "{index}"' not in json.dumps(before)
    assert before["Total Cost"] > 3 * after["Total Cost"]


def query_plan(connection: "psycopg.Connection[Any]", query: LiteralString) -> dict[str, Any]:
    ((answer,),) = connection.execute(SQL("EXPLAIN (FORMAT JSON) {}").format(SQL(query))).fetchall()
    return dict(answer[0]["Plan"])


def test_migrate_creates_each_index_once(pod: Pod) -> None:
    first, second = pod.migrate(), pod.migrate()

    assert first.code == second.code == 0, first.stderr
    assert [set(line["indexes"]) for line in first.results] == [names(pod), names(pod, "mlflow_auth")]
    assert names(pod) == TRACKING
    assert {"mlflow_sso_experiment_permissions_user_id", "mlflow_sso_user_groups_group_id"} <= names(pod, "mlflow_auth")
    assert [line["indexes"] for line in second.results] == [[], []]


def test_every_owner_column_is_indexed(migrated_pod: Pod) -> None:
    columns = migrated_pod.database.query(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name IN ('user_id', 'group_id') AND table_name LIKE '%%permissions'",
        service="mlflow_auth",
    )
    indexed = migrated_pod.database.query(
        "SELECT tablename, (regexp_match(indexdef, '\\((\\w+)'))[1] FROM pg_indexes WHERE schemaname = 'public'",
        service="mlflow_auth",
    )

    assert columns
    assert set(columns) <= set(indexed)


@pytest.mark.parametrize("definition", ["(experiment_id, start_time)", "(experiment_id, start_time DESC, status)"])
def test_similar_index_is_enough(migrated_pod: Pod, definition: LiteralString) -> None:
    migrated_pod.database.query("DROP INDEX mlflow_sso_runs_experiment_start")
    migrated_pod.database.query("CREATE INDEX theirs ON runs " + definition)

    done = migrated_pod.migrate()

    assert done.code == 0, done.stderr
    assert "mlflow_sso_runs_experiment_start" not in names(migrated_pod)


@pytest.mark.parametrize("definition", ["(experiment_id)", "(experiment_id, start_time) WHERE status = 'FAILED'"])
def test_other_index_is_not_enough(migrated_pod: Pod, definition: LiteralString) -> None:
    migrated_pod.database.query("DROP INDEX mlflow_sso_runs_experiment_start")
    migrated_pod.database.query("CREATE INDEX theirs ON runs " + definition)

    migrated_pod.migrate()

    assert "mlflow_sso_runs_experiment_start" in names(migrated_pod)


def test_unfinished_index_is_created_again(migrated_pod: Pod) -> None:
    # What an interrupted CREATE INDEX CONCURRENTLY leaves behind.
    migrated_pod.database.superuser(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'mlflow_sso_tags_parent_run'::regclass",
        inside="mlflow",
    )

    done = migrated_pod.migrate()

    assert done.results[0]["indexes"] == ["mlflow_sso_tags_parent_run"]
    assert migrated_pod.database.query(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'mlflow_sso_tags_parent_run'::regclass"
    ) == [(True,)]


def test_index_waits_for_no_writer_for_ever(migrated_pod: Pod) -> None:
    migrated_pod.database.query("DROP INDEX mlflow_sso_runs_experiment_start")
    with psycopg.connect(migrated_pod.database.dsn("mlflow")) as writer:
        writer.execute("INSERT INTO experiments (experiment_id, name) VALUES (77, 'open')")
        writer.execute("INSERT INTO runs (run_uuid, experiment_id) VALUES ('open', 77)")

        waiting = migrated_pod.migrate("--timeout", "1")
    done = migrated_pod.migrate()

    assert waiting.code == 75
    assert "lock timeout" in waiting.stderr
    assert done.results[0]["indexes"] == ["mlflow_sso_runs_experiment_start"]


def test_foreign_tables_are_left_unchanged(migrated_pod: Pod) -> None:
    migrated_pod.database.query("DROP INDEX mlflow_sso_runs_experiment_start")
    migrated_pod.database.superuser("ALTER TABLE runs OWNER TO postgres", inside="mlflow")

    done = migrated_pod.migrate()

    assert done.code == 0, done.stderr
    assert done.results[0]["indexes"] == []
    assert "cannot create an index" in done.stderr


def test_check_lists_indexes(migrated_pod: Pod) -> None:
    migrated_pod.database.query("DROP INDEX mlflow_sso_model_versions_run")

    done = migrated_pod.run("check", "--timeout", "1")

    (row,) = [line for line in done.stdout.splitlines() if line.startswith("indexes mlflow ")]
    assert all(name in row.partition("missing: ")[0] for name in TRACKING - {"mlflow_sso_model_versions_run"})
    assert "missing: mlflow_sso_model_versions_run" in row
