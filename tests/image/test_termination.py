"""SIGTERM while a program waits for a lock: it ends soon, says so in a line, and leaves nothing half done."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from backups import make_backup_pod, make_empty_copy
from garbage import Garbage
from pod import Pod

from mlflow_sso.garbage_collection.collection import LOCK_KEY

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = ANY(%s)
"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"


@contextmanager
def locked(pod: Pod) -> Iterator[None]:
    """Every table of both databases, as a migration of others or an administrator would have it."""
    with ExitStack() as stack:
        for service in ("mlflow", "mlflow_auth"):
            other = stack.enter_context(psycopg.connect(pod.database.dsn(service)))
            names = ", ".join(name for (name,) in other.execute(TABLES))
            other.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        yield


def wait_for_waiting(pod: Pod, process: "subprocess.Popen[str]") -> None:
    names = [pod.database.name(service) for service in ("mlflow", "mlflow_auth")]
    with psycopg.connect(pod.database.server.superuser_dsn, autocommit=True) as other:
        while other.execute(WAITING, [names]).fetchone() == (0,):
            assert process.poll() is None
            time.sleep(0.05)


def stop(process: "subprocess.Popen[str]") -> tuple[float, str, str]:
    """Seconds, stdout and stderr."""
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 75, stderr
    assert "Traceback" not in stderr
    assert stderr.count("stopped by SIGTERM") == 1
    return time.monotonic() - started, stdout, stderr


def test_gc_that_waits_for_another_ends_with_totals(garbage: Garbage) -> None:
    before = garbage.rows()
    with psycopg.connect(garbage.pod.database.dsn("mlflow")) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
        process = garbage.pod.start("gc")
        wait_for_waiting(garbage.pod, process)
        seconds, stdout, _ = stop(process)

    assert seconds < 12
    assert json.loads(stdout.splitlines()[-1])["kind"] == "total"
    assert garbage.rows() == before


def test_gc_that_waits_for_tables_ends(garbage: Garbage) -> None:
    with locked(garbage.pod):
        process = garbage.pod.start("gc")
        wait_for_waiting(garbage.pod, process)
        seconds, _, _ = stop(process)

    # What it has begun may go on for ten seconds, of a pod's thirty.
    assert seconds < 20


@pytest.mark.parametrize("program", ["migrate", "fsck", "end-access", "wait-for-schema", "dump"])
def test_program_that_waits_for_tables_ends(migrated_pod: Pod, program: str) -> None:
    pod = make_backup_pod(migrated_pod, OIDC_GROUP_NAME="users")
    with locked(pod):
        process = pod.start(program)
        wait_for_waiting(pod, process)
        seconds, _, _ = stop(process)

    assert seconds < (20 if program == "dump" else 12)


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_prune_sessions_that_waits_ends(migrated_pod: Pod) -> None:
    with locked(migrated_pod):
        process = migrated_pod.start("prune-sessions")
        wait_for_waiting(migrated_pod, process)
        seconds, _, _ = stop(process)

    assert seconds < 12


def test_restore_that_waits_ends_and_leaves_nothing(migrated_pod: Pod, tmp_path: Path) -> None:
    pod = make_backup_pod(migrated_pod)
    assert pod.run("dump").code == 0
    new = make_empty_copy(pod, tmp_path / "new")

    # A table that another transaction is about to create keeps others from its name.
    with psycopg.connect(new.database.dsn("mlflow")) as other:
        other.execute("CREATE TABLE runs (id int)")
        process = new.start("restore")
        wait_for_waiting(new, process)
        seconds, _, _ = stop(process)

    assert seconds < 12
    assert new.database.query("SELECT count(*) FROM pg_class WHERE relname IN ('experiments', 'users')") == [(0,)]


def test_migrate_that_waits_for_another_ends(pod: Pod) -> None:
    with psycopg.connect(pod.database.dsn("mlflow")) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(b"mlflow")])
        process = pod.start("migrate", "--timeout", "120")
        assert process.stderr
        while "waiting for another migration" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(4)
        seconds, _, _ = stop(process)

    assert seconds < 12
