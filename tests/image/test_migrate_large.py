"""An upgrade of a large database: prepared online, resumed after a kill, refused if it takes too long."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from beside import beside
from many_rows import Amount, fill
from pod import Pod, Venv
from serving import make_users
from waiting import wait_for

pytestmark = [pytest.mark.servers, pytest.mark.nightly, pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)]

OTHER_UPGRADE = """
import os
from alembic.command import upgrade
from mlflow.store.db.utils import _get_alembic_config
upgrade(_get_alembic_config(os.environ["MLFLOW_BACKEND_STORE_URI"]), "head")
"""
MORE: tuple[LiteralString, ...] = (
    "INSERT INTO trace_tags (key, value, request_id) SELECT 'mlflow.traceName', 'name ' || request_id, request_id"
    " FROM trace_info",
    "INSERT INTO trace_request_metadata (key, value, request_id) SELECT key, value, request_id FROM trace_info, LATERAL"
    " (VALUES ('mlflow.trace.session', 'session ' || timestamp_ms % 9), ('mine', 'kept'), ('mlflow.trace.tokenUsage',"
    " CASE timestamp_ms % 3 WHEN 0 THEN '{\"input_tokens\": 5, \"output_tokens\": 1.5}' WHEN 1 THEN 'no JSON'"
    " ELSE '{\"total_tokens\": 1e30}' END)) AS made (key, value)",
    "INSERT INTO assessments (assessment_id, trace_id, name, assessment_type, value, created_timestamp,"
    " last_updated_timestamp, source_type, valid) SELECT 'a-' || md5(request_id), request_id, 'good', 'feedback',"
    " CASE timestamp_ms % 4 WHEN 0 THEN 'true' WHEN 1 THEN '\"yes\"' WHEN 2 THEN '2.5' ELSE '[1]' END, 1, 1, 'HUMAN',"
    " true FROM trace_info",
    "INSERT INTO spans (trace_id, experiment_id, span_id, status, start_time_unix_nano, end_time_unix_nano, content)"
    " SELECT request_id, experiment_id, 's', 'OK', timestamp_ms, timestamp_ms + 1, '{}' FROM trace_info",
    "ANALYZE",
)
TABLES = ("trace_info", "trace_tags", "trace_request_metadata", "assessments", "spans", "metrics")
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname NOT LIKE 'mlflow_sso_%%' ORDER BY 1"
PREPARED = "SELECT count(*) FROM trace_info WHERE session_id IS NOT NULL"


@pytest.fixture
def large(make_pod: Callable[..., Pod]) -> Pod:
    """Databases of release 3.6.0 with 22,000 traces, assessments and metrics, and the image of the current release."""
    pod = make_pod()
    baseline = replace(pod, venv=Venv(release="3.6.0"), forks=None)
    assert baseline.run("migrate").code == 0
    make_users(baseline)
    fill(pod.database, Amount(experiments=100, runs=2, metrics=110, traces=220))
    with psycopg.connect(pod.database.dsn("mlflow"), autocommit=True) as connection:
        for statement in MORE:
            connection.execute(statement)
    return pod


def contents(pod: Pod) -> dict[str, list[tuple[object, ...]]]:
    """Every row, whatever the order of its columns."""
    return {table: pod.database.query(f"SELECT to_jsonb(t)::text FROM {table} AS t ORDER BY 1") for table in TABLES}  # noqa: S608


def test_large_upgrade_gives_mlflows_own_rows(large: Pod, tmp_path: Path) -> None:
    # given
    original = large.copy(tmp_path)

    # when
    refused = large.migrate("--maximum-lock-seconds", "1")
    untouched = large.database.revision("mlflow"), large.database.query("SELECT to_regclass('spans_x')")
    killed = _killed_while_preparing(large)
    ours = large.migrate()
    theirs = original.script(OTHER_UPGRADE)

    # then
    assert (refused.code, untouched[0]) == (1, "bf29a5ff90ea")
    assert "longer than --maximum-lock-seconds 1" in refused.stderr
    assert killed
    assert (ours.code, theirs.code) == (0, 0), ours.stderr + theirs.stderr
    (said,) = [line for line in ours.progress if line["message"] == "upgrading" and line["database"] == "mlflow"]
    assert said["rows"] > 100_000
    assert 1 < said["lock_seconds"] < 1.5
    assert {"bytes", "space_bytes", "seconds_beforehand", "locks", "revisions"} <= set(said)
    assert contents(large) == contents(original)
    assert large.database.query(INDEXES) == original.database.query(INDEXES)


def _killed_while_preparing(pod: Pod) -> bool:
    """Whether a run was killed after it had prepared some traces, and before it had upgraded."""
    with psycopg.connect(pod.database.dsn("mlflow")) as holder, _watching(pod) as watch:
        # An open transaction that has read holds the upgrade back, which needs the tables for itself.
        holder.execute("SELECT count(*) FROM runs")
        process = replace(pod, forks=None).start("migrate")
        while process.poll() is None:
            columns = watch.execute("SELECT 1 FROM information_schema.columns WHERE column_name = 'session_id'")
            if columns.fetchall() and watch.execute(PREPARED).fetchone() != (0,):
                process.kill()
        process.communicate()
    return process.returncode == -9 and pod.database.revision("mlflow") == "bf29a5ff90ea"


def _watching(pod: Pod) -> psycopg.Connection:
    return psycopg.connect(pod.database.dsn("mlflow"), autocommit=True)


@contextmanager
def running(work: Callable[[psycopg.Connection], None], pod: Pod) -> Iterator[list[None]]:
    """Repeat ``work`` in a session of its own until it fails or the block ends; yields an item for each time."""
    times = list[None]()

    def repeat(ended: threading.Event) -> None:
        with psycopg.connect(pod.database.dsn("mlflow"), autocommit=True) as connection:
            while not ended.is_set():
                work(connection)
                times.append(None)

    with beside(repeat):
        yield times


def _write(connection: psycopg.Connection) -> None:
    """As the old server: a trace and its name."""
    with connection.transaction():
        ((number,),) = connection.execute("SELECT count(*) FROM trace_info").fetchall()
        connection.execute(
            "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status) VALUES (%s, 1, 1, 'OK')",
            [f"tr-late-{number}"],
        )
        connection.execute(
            "INSERT INTO trace_tags (key, value, request_id) VALUES ('mlflow.traceName', 'late', %s)",
            [f"tr-late-{number}"],
        )
    time.sleep(0.02)


def _read(connection: psycopg.Connection) -> None:
    connection.execute("SELECT count(*) FROM experiments")
    time.sleep(0.01)


def test_readers_and_writers_go_on_meanwhile(large: Pod) -> None:
    # given
    holder = psycopg.connect(large.database.dsn("mlflow"))
    holder.execute("SELECT count(*) FROM runs")

    # when
    with running(_read, large) as reads:
        process = replace(large, forks=None).start("migrate")
        with running(_write, large) as writes:
            wait_for(lambda: "session_id" in _columns(large))
            begun = len(reads), len(writes)
            time.sleep(6)
            # It asks for the tables for 0.7 s at a time: behind one that waits as long as it takes, none would go on.
            wait_for(lambda: min(len(reads) - begun[0], len(writes) - begun[1]) > 5)
        holder.close()
        stderr = process.communicate(timeout=120)[1]

    # then
    assert process.returncode == 0, stderr
    assert "waiting for tables in use" in stderr
    late = (
        "SELECT count(*) FILTER (WHERE trace_name = 'late'), count(*) FROM trace_info WHERE request_id LIKE 'tr-late-%'"
    )
    # A single percent sign is the beginning of a placeholder of psycopg's.
    ((named, written),) = large.database.query(late.replace("%'", "%%'"))
    assert named == written == len(writes)


LATE: tuple[LiteralString, ...] = (
    "UPDATE trace_request_metadata SET value = 'late' WHERE key = 'mlflow.trace.session' AND request_id = %(trace)s",
    "DELETE FROM trace_tags WHERE key = 'mlflow.traceName' AND request_id = %(trace)s",
    "DELETE FROM trace_request_metadata WHERE key = 'mlflow.trace.tokenUsage' AND request_id = %(other)s",
    "UPDATE trace_info SET timestamp_ms = 77 WHERE request_id = %(other)s",
    "UPDATE assessments SET value = '41.5' WHERE trace_id = %(trace)s",
    "INSERT INTO assessments (assessment_id, trace_id, name, assessment_type, value, created_timestamp,"
    " last_updated_timestamp, source_type, valid) VALUES ('a-late', %(other)s, 'late', 'feedback', 'false', 1, 1,"
    " 'HUMAN', true)",
)
TWO = "SELECT min(request_id), max(request_id) FROM trace_request_metadata WHERE value LIKE '{\"input%%'"


def _change_late(pod: Pod) -> None:
    ((trace, other),) = pod.database.query(TWO)
    with psycopg.connect(pod.database.dsn("mlflow")) as connection:
        for statement in LATE:
            connection.execute(statement, {"trace": trace, "other": other})


def test_late_changes_reach_the_upgraded_rows(large: Pod, tmp_path: Path) -> None:
    # given
    original = large.copy(tmp_path)
    _change_late(original)
    holder = psycopg.connect(large.database.dsn("mlflow"))
    holder.execute("SELECT count(*) FROM runs")

    # when
    process = replace(large, forks=None).start("migrate")
    _wait_for_line(process, "waiting for tables in use")
    _change_late(large)
    holder.close()
    stderr = process.stderr.read() if process.stderr else ""
    process.communicate()
    theirs = original.script(OTHER_UPGRADE)

    # then
    assert (process.returncode, theirs.code) == (0, 0), stderr + theirs.stderr
    again = [line for line in _lines(stderr) if line["message"] == "filled again what was written meanwhile"]
    assert {line["table"]: line["rows"] for line in again} == {"trace_info": 2, "assessments": 3}
    assert contents(large) == contents(original)


def _wait_for_line(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stderr
    assert any(words in line for line in process.stderr)


def _lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def _columns(pod: Pod) -> set[object]:
    rows = pod.database.query("SELECT column_name FROM information_schema.columns WHERE table_name = 'trace_info'")
    return {name for (name,) in rows}
