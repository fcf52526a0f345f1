"""What programs write down of their latest run, and what the server's metrics make of it."""

import time

import pytest
from pod import Pod
from program_gauges import gauges

pytestmark = pytest.mark.servers

BEHIND = "UPDATE alembic_version SET version_num = 'behind'"
EARLIER = (
    "CREATE TABLE mlflow_sso_outcomes (program varchar PRIMARY KEY, ended timestamptz NOT NULL, "
    "succeeded timestamptz, counts jsonb NOT NULL)"
)
TABLES = "SELECT relname FROM pg_class WHERE relname = 'mlflow_sso_outcomes'"


def test_gauges_of_programs_follow_each_run(migrated_pod: Pod) -> None:
    assert gauges(migrated_pod) == [{}, {}, {}]
    began = time.time()

    done = migrated_pod.run("gc")

    assert done.code == 0, done.stderr
    ended, succeeded, counts = gauges(migrated_pod)
    assert began - 1 < ended["gc"] == succeeded["gc"] < time.time() + 1
    assert counts["gc/run"] == counts["gc/blocked"] == 0
    migrated_pod.run("gc")
    assert gauges(migrated_pod)[1]["gc"] > succeeded["gc"]


def test_gauges_of_programs_tell_a_failure(migrated_pod: Pod) -> None:
    migrated_pod.run("gc")
    before = gauges(migrated_pod)[1]["gc"]
    migrated_pod.database.query(BEHIND)

    done = migrated_pod.run("gc")

    assert done.code != 0
    ended, succeeded, _ = gauges(migrated_pod)
    assert succeeded == {"gc": before}
    assert ended["gc"] > before


def test_gauges_of_programs_tell_first_failure(migrated_pod: Pod) -> None:
    migrated_pod.database.query(BEHIND)

    migrated_pod.run("gc")

    ended, succeeded, counts = gauges(migrated_pod)
    assert (ended.keys(), succeeded, counts) == ({"gc"}, {}, {})


@pytest.mark.parametrize("program", ["gc", "end-access"])
def test_program_before_migration_leaves_database_empty(pod: Pod, program: str) -> None:
    # A realm is not asked before the schema is known.
    done = pod.run(program, OIDC_GROUP_NAME="mlflow-users", OIDC_DISCOVERY_URL="https://127.0.0.1:9/realms/mlflow")

    assert done.code != 0
    assert [pod.database.query(TABLES, service=name) for name in ("mlflow", "mlflow_auth")] == [[], []]
    assert pod.migrate().code == 0


def test_migration_takes_database_with_outcome_only(pod: Pod) -> None:
    # As earlier versions left it, whose programs may have run before their first migration.
    for name in ("mlflow", "mlflow_auth"):
        pod.database.query(EARLIER, service=name)

    done = pod.migrate()

    assert done.code == 0, done.stderr


def test_dry_run_writes_no_outcome(migrated_pod: Pod) -> None:
    done = migrated_pod.run("gc", "--dry-run")

    assert done.code == 0, done.stderr
    assert migrated_pod.database.query(TABLES) == []


def test_unwritable_outcome_fails_no_program(migrated_pod: Pod) -> None:
    # A table of the same name with other columns, into which no outcome can be written.
    migrated_pod.database.query("CREATE TABLE mlflow_sso_outcomes (program integer)")

    done = migrated_pod.run("gc")

    assert done.code == 0, done.stderr
    assert [line["program"] for line in done.progress if line["message"] == "cannot record how the run ended"] == ["gc"]


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_outcomes_are_no_uncounted_table(migrated_pod: Pod) -> None:
    assert migrated_pod.run("prune-sessions").code == 0
    assert migrated_pod.database.query(TABLES, service="mlflow_auth") != []

    again = migrated_pod.run("migrate")

    assert again.code == 0, again.stderr
    triggers = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'mlflow_sso_outcomes'::regclass"
    assert migrated_pod.database.query(triggers, service="mlflow_auth") == []
