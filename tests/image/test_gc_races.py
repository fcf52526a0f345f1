"""``gc`` beside others who restore, register and log, and when it is stopped in the middle of its work."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from garbage import Garbage
from pod import Done

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

VERSION = """
INSERT INTO model_versions (name, version, source, storage_location, current_stage) VALUES ('churn', 9, %s, '', 'None')
"""
MANY = """
INSERT INTO runs (run_uuid, experiment_id, artifact_uri, lifecycle_stage, deleted_time)
SELECT id, %(experiment)s, 'mlflow-artifacts:/' || %(experiment)s || '/' || id || '/artifacts', 'deleted', 1
FROM (SELECT replace(gen_random_uuid()::text, '-', '') AS id FROM generate_series(1, 2000)) AS ids
"""


@contextmanager
def meanwhile(garbage: Garbage, statement: str, *parameters: object) -> Iterator["subprocess.Popen[str]"]:
    """Start ``gc`` while a transaction that ran ``statement`` is open, and commit once ``gc`` has waited for it."""
    with psycopg.connect(garbage.pod.database.dsn("mlflow")) as other:
        other.execute(statement, parameters)
        process = garbage.pod.start("gc")
        time.sleep(6)
    yield process


def ended(process: "subprocess.Popen[str]") -> Done:
    stdout, stderr = process.communicate(timeout=120)
    return Done(code=process.returncode, stdout=stdout, stderr=stderr)


def test_version_registered_meanwhile_keeps_its_run(garbage: Garbage) -> None:
    source = garbage.things["old-run"]["location"] + "/model"

    with meanwhile(garbage, VERSION, source) as process:
        done = ended(process)

    assert done.code == 0, done.stderr
    assert garbage.id("old-run") in garbage.rows()["run"]
    assert garbage.key("old-run") in garbage.pod.bucket.objects()
    assert garbage.id("gone") not in garbage.rows()["experiment"]


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE runs SET lifecycle_stage = 'active' WHERE run_uuid = %s", "run-of-gone"),
        ("UPDATE experiments SET lifecycle_stage = 'active' WHERE experiment_id::text = %s", "gone"),
    ],
)
def test_thing_restored_meanwhile_stays(garbage: Garbage, statement: str, name: str) -> None:
    with meanwhile(garbage, statement, garbage.id(name)) as process:
        done = ended(process)

    assert done.code == 0, done.stderr
    assert garbage.id("gone") in garbage.rows()["experiment"]
    assert garbage.key("gone") in garbage.pod.bucket.objects()


def test_termination_ends_with_totals(garbage: Garbage) -> None:
    garbage.pod.database.query(MANY.replace("%(experiment)s", garbage.id("alive")))
    process = garbage.pod.start("gc")
    assert process.stdout
    # So that the signal falls in the middle of its deletions.
    while '"kind": "run"' not in process.stdout.readline():
        pass

    process.send_signal(signal.SIGTERM)
    stopped = ended(process)
    left = len(garbage.rows()["run"])
    next_run = garbage.pod.run("gc")

    assert stopped.code == 75
    assert "stopped by SIGTERM" in stopped.stderr
    # Only whole lines: what was read ahead of the signal ended within one.
    total = json.loads(stopped.stdout.splitlines()[-1])
    # Seven runs beside the 2000 of ``MANY``.
    assert (total["kind"], left) == ("total", 2007 - total["run"])
    assert 0 < total["run"] < 2000
    assert next_run.code == 0
    assert not garbage.pod.database.query("SELECT 1 FROM runs WHERE lifecycle_stage = 'deleted' AND deleted_time = 1")


def test_two_at_once_share_work(garbage: Garbage) -> None:
    garbage.pod.database.query(MANY.replace("%(experiment)s", garbage.id("alive")))

    processes = [garbage.pod.start("gc") for _ in range(2)]
    both = [ended(process) for process in processes]

    assert [done.code for done in both] == [0, 0], [done.stderr for done in both]
    removed = [line["id"] for done in both for line in done.results if line.get("action") == "removed"]
    assert len(removed) == len(set(removed))
    assert not garbage.pod.database.query("SELECT 1 FROM runs WHERE deleted_time = 1")


def test_kill_leaves_rows_of_what_remains(garbage: Garbage) -> None:
    garbage.pod.database.query(MANY.replace("%(experiment)s", garbage.id("alive")))
    process = garbage.pod.start("gc")
    assert process.stdout
    process.stdout.readline()

    process.kill()
    process.wait()
    next_run = garbage.pod.run("gc")

    assert next_run.code == 0, next_run.stderr
    assert garbage.key("old-run") not in garbage.pod.bucket.objects()
    assert garbage.key("active-run") in garbage.pod.bucket.objects()
