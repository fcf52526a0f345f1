"""``gc`` on what MLflow's own store has created and marked deleted, with real objects, for both releases."""

from collections.abc import Callable

import pytest
from garbage import Garbage
from pod import Done, Pod

pytestmark = pytest.mark.servers

DUE = ["old-run", "run-of-gone", "run-of-custom", "old-model", "gone", "custom"]
GOES_ALONG = ["model-of-gone", "model-of-custom", "trace-of-gone", "trace-of-custom"]
KEPT = ["used-run", "used-model"]


def lines(done: Done, action: str) -> dict[str, str]:
    return {line["id"]: line["kind"] for line in done.results if line.get("action") == action}


def test_gc_deletes_only_what_is_due(garbage: Garbage) -> None:
    bystanders = [name for name in garbage.things if name not in (*DUE, *GOES_ALONG)]

    done = garbage.pod.run("gc", "--older-than", "30d")

    assert done.code == 0, done.stderr
    assert lines(done, "removed").keys() == {garbage.id(name) for name in DUE}
    assert lines(done, "kept").keys() == {garbage.id(name) for name in KEPT}
    rows = set().union(*garbage.rows().values())
    assert rows == {garbage.id(name) for name in bystanders} | {"0"}
    # An experiment's own object lies at the top of a location that a person has chosen and others may share.
    assert garbage.pod.bucket.objects() == sorted(garbage.key(name) for name in [*bystanders, "custom"])


def test_gc_deletes_dependent_rows_only(garbage: Garbage) -> None:
    garbage.pod.run("gc")

    assert garbage.pod.database.query("SELECT run_uuid, count(*) FROM metrics GROUP BY 1 ORDER BY 1") == sorted(
        (garbage.id(name), count)
        for name, count in (("active-run", 51), ("recent-run", 50), ("used-run", 50), ("run-of-recent", 50))
    )
    assert garbage.pod.database.query("SELECT DISTINCT model_id FROM logged_model_params ORDER BY 1") == sorted(
        (garbage.id(name),) for name in ("active-model", "recent-model", "used-model")
    )
    assert garbage.pod.database.query("SELECT name FROM datasets") == [("kept",)]
    assert {row[0] for row in garbage.pod.database.query("SELECT request_id FROM trace_tags")} == {
        garbage.id("trace-of-alive")
    }


def test_next_run_finds_nothing_more(garbage: Garbage) -> None:
    garbage.pod.run("gc")

    again = garbage.pod.run("gc")

    assert again.code == 0
    assert lines(again, "removed") == {}
    assert {line["reason"].split(" uses ")[0] for line in again.results if line.get("action") == "kept"} == {
        "model version churn/1",
        "model version churn/2",
    }


def test_dry_run_names_same_things_and_touches_none(garbage: Garbage) -> None:
    rows, keys = garbage.rows(), garbage.pod.bucket.objects()

    rehearsal = garbage.pod.run("gc", "--dry-run")
    assert (garbage.rows(), garbage.pod.bucket.objects()) == (rows, keys)
    performance = garbage.pod.run("gc")

    assert rehearsal.code == 0
    assert lines(rehearsal, "would remove") == lines(performance, "removed")


def test_gc_deletes_no_row_without_bucket(garbage: Garbage) -> None:
    rows = garbage.rows()

    done = garbage.pod.run("gc", **garbage.pod.bucket.unreachable)

    assert done.code == 75
    assert "cannot reach the object store" in done.stderr
    assert garbage.rows() == rows


def test_refused_keys_are_terminal_and_keep_rows(garbage: Garbage) -> None:
    rows = garbage.rows()
    for file, text in garbage.pod.bucket.wrong_secrets.items():
        (garbage.pod.secrets_root / file).write_text(text)

    done = garbage.pod.run("gc")

    assert done.code == 1
    assert f"compare mlflow-{garbage.pod.bucket.mount}-secret" in done.stderr
    assert not [text for text in garbage.pod.bucket.wrong_secrets.values() if text in done.stderr]
    assert "s3cr3t" not in done.stderr
    assert garbage.rows() == rows


def test_gc_keeps_what_it_cannot_delete(garbage: Garbage) -> None:
    database = garbage.pod.database
    database.query("UPDATE runs SET artifact_uri = 'hdfs://elsewhere/1' WHERE run_uuid = %s", garbage.id("old-run"))
    # A table of others, whose rows hold a row of MLflow's.
    database.query("CREATE TABLE pins (model_id varchar REFERENCES logged_models (model_id))")
    database.query("INSERT INTO pins VALUES (%s)", garbage.id("model-of-gone"))

    done = garbage.pod.run("gc")

    reasons = {line["id"]: line["reason"] for line in done.results if line.get("action") == "kept"}
    assert done.code == 1
    assert "hdfs://elsewhere/1, neither proxied nor in the object store" in reasons[garbage.id("old-run")]
    assert "violates foreign key constraint" in reasons[garbage.id("gone")]
    assert garbage.id("custom") in lines(done, "removed")
    assert garbage.id("gone") in garbage.rows()["experiment"]
    assert garbage.key("model-of-gone") in garbage.pod.bucket.objects()


def test_experiment_waits_for_run_not_yet_due(garbage: Garbage) -> None:
    garbage.pod.database.query(
        "UPDATE runs SET lifecycle_stage = 'active' WHERE run_uuid = %s", garbage.id("run-of-gone")
    )

    done = garbage.pod.run("gc")

    assert done.code == 0
    assert garbage.id("gone") not in lines(done, "removed")
    assert garbage.key("run-of-gone") in garbage.pod.bucket.objects()


ATTACKER = """
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, last_update_time)
VALUES (%s, %s, %s, 'deleted', 1)
"""


@pytest.mark.parametrize(
    ("location", "trace"),
    [
        ("{bucket}/attacker", "{victim}"),
        ("{bucket}/attacker", "../../{victim}"),
        ("{bucket}/attacker", "%2e%2e/%2e%2e/{victim}"),
        ("mlflow-artifacts:/attacker", "/{victim}"),
        ("mlflow-artifacts:/{victim}", "tr-1"),
        ("mlflow-artifacts:/attacker/../{victim}", "tr-1"),
        ("mlflow-artifacts:/%2e/{victim}/", "tr-1"),
        ("{bucket}/{victim}", "tr-1"),
        ("{bucket}/{victim}?x=", "tr-1"),
        # The whole bucket.
        ("mlflow-artifacts:/", "{victim}"),
    ],
)
def test_gc_deletes_no_folder_of_another(garbage: Garbage, location: str, trace: str) -> None:
    names = {"bucket": garbage.pod.bucket.uri, "victim": garbage.id("alive")}
    database, trace_id = garbage.pod.database, trace.format(**names)
    database.query(ATTACKER, 7777, "attacker", location.format(**names))
    database.query(
        "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status) VALUES (%s, 7777, 1, '')", trace_id
    )
    # Tags come from those who may write a trace, and claim another's folder here.
    for key in ("mlflow.artifactLocation", "mlflow.trace.archiveLocation"):
        tag = f"mlflow-artifacts:/{names['victim']}"
        database.query("INSERT INTO trace_tags (key, value, request_id) VALUES (%s, %s, %s)", key, tag, trace_id)
    theirs = {garbage.key(name) for name in ("alive", "active-run", "active-model", "trace-of-alive", "recent-run")}

    done = garbage.pod.run("gc")

    assert done.code in (0, 1), done.stderr
    assert theirs <= set(garbage.pod.bucket.objects())
    assert garbage.id("old-run") in lines(done, "removed") or location == "mlflow-artifacts:/"


ODD_TRACE = """
INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status) VALUES (%s, %s, 1, 'OK')
"""
ODD_TAG = "INSERT INTO trace_tags (key, value, request_id) VALUES ('mlflow.artifactLocation', %s, %s)"


@pytest.mark.parametrize("trace", ["../..?", "../../..", "%2e%2e/%2e%2e%3f", ".", "..\\..\\..#"])
def test_gc_goes_on_beside_odd_traces(garbage: Garbage, trace: str) -> None:
    database, kept = garbage.pod.database, {garbage.key(name) for name in ("active-run", "active-model", "recent-run")}
    for name in ("alive", "custom"):
        identity = f"{trace}/x" if name == "custom" else trace
        database.query(ODD_TRACE, identity, int(garbage.id(name)))
        database.query(ODD_TAG, f"mlflow-artifacts:/{garbage.id(name)}/traces/{identity}/artifacts", identity)

    done = garbage.pod.run("gc")

    assert done.code == 0, done.stdout
    assert {garbage.id(name) for name in ("old-run", "old-model", "gone", "custom")} <= lines(done, "removed").keys()
    assert kept <= set(garbage.pod.bucket.objects())
    # What it has left of an experiment that is gone.
    warnings = [line for line in done.progress if line["level"] == "warning"]
    assert [line["first"] for line in warnings if "stay" in line["message"]] == [f"{trace}/x"]


def test_gc_stays_within_its_destination(garbage: Garbage) -> None:
    bucket, database = garbage.pod.bucket, garbage.pod.database
    # /production begins as /prod does, which is the destination here, and does not lie below it.
    before = bucket.objects()
    database.query("UPDATE runs SET artifact_uri = %s || '/production/' || run_uuid || '/artifacts'", bucket.uri)

    done = garbage.pod.run("gc", MLFLOW_ARTIFACTS_DESTINATION=f"{bucket.uri}/prod")

    reasons = {line["id"]: line["reason"] for line in done.results if line.get("action") == "kept"}
    assert done.code == 1
    assert f"outside {bucket.uri}/prod/" in reasons[garbage.id("old-run")]
    assert bucket.objects() == before


def test_gc_deletes_everything_without_age(garbage: Garbage) -> None:
    done = garbage.pod.run("gc", "--older-than", "0s")

    assert {garbage.id(name) for name in ("recent-run", "recent-model", "recent")} <= lines(done, "removed").keys()


def test_before_migration_it_does_nothing(make_pod: Callable[..., Pod]) -> None:
    done = make_pod().run("gc")

    assert done.code == 75
    assert "run `mlflow-sso migrate` first" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["--older-than", "soon"], {}, "'soon' is not an age such as 30d"),
        # MLflow takes a folder, too.
        ([], {"MLFLOW_ARTIFACTS_DESTINATION": "/mlartifacts"}, "set it to s3://BUCKET"),
    ],
)
def test_what_it_cannot_understand_is_usage_error(
    pod: Pod, arguments: list[str], settings: dict[str, str], said: str
) -> None:
    done = pod.run("gc", *arguments, **settings)

    assert done.code == 2
    assert said in done.stderr
