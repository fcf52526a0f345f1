"""``restore`` in little memory, and as the way back from a newer release."""

from dataclasses import replace
from pathlib import Path

import pytest
from backups import EXPERIMENT, GROUPS, ROWS, make_backup_pod, make_empty_copy, make_filled, read_all
from pod import Bucket, Database, Pod, Venv

from live.servers import Minio, Postgres

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

MEASURED = """
import re, sys
from mlflow_sso.cli import main
try:
    main(["restore", "--secrets-root", sys.argv[1]])
except SystemExit as end:
    code = end.code
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
sys.exit(code)
"""
MORE_ROWS = """
INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)
  SELECT 'accuracy', random(), n, md5((1 + mod(n, 3000))::text), n, false FROM generate_series(1, 500000) n
"""


def test_restore_takes_the_same_little_memory(migrated_pod: Pod, tmp_path: Path) -> None:
    filled = make_filled(migrated_pod)
    small = measured_restore(filled, tmp_path / "small")
    filled.database.query(MORE_ROWS)

    large = measured_restore(filled, tmp_path / "large")

    assert small < 200
    assert large < min(200, small + 15)


def measured_restore(pod: Pod, folder: Path) -> int:
    """MiB that a restore has used at most."""
    assert pod.run("dump").code == 0
    new = make_empty_copy(pod, folder)
    done = new.python(MEASURED, str(new.secrets_root))
    assert done.code == 0, done.stderr
    return int(done.stdout.split()[-1]) // 1024


def new_installation(release: str, folder: Path, *, postgres: Postgres, minio: Minio) -> Pod:
    """A pod of a release with empty databases, a bucket, and one for dumps."""
    database, bucket = Database(server=postgres), Bucket(server=minio)
    database.create()
    bucket.client.make_bucket(bucket.name)
    pod = make_backup_pod(Pod(venv=Venv(release=release), folder=folder, database=database, bucket=bucket))
    pod.mount()
    return pod


def test_way_back_restores_dump_before_migration(postgres: Postgres, minio: Minio, tmp_path: Path) -> None:
    old = new_installation("3.6.0", tmp_path / "old", postgres=postgres, minio=minio)
    database = old.database
    newer = replace(old, venv=Venv(release="3.17.2"))
    assert old.migrate().code == 0
    database.query(ROWS)
    database.query(GROUPS, service="mlflow_auth")
    before = read_all(old)

    # As the newer release's migration Job does it.
    dumped, migrated = newer.run("dump", "--before-migration"), newer.migrate()
    database.query(EXPERIMENT, "after the migration")
    back = make_empty_copy(old, tmp_path / "back")
    listed, restored = back.run("restore", "--list"), back.run("restore")

    assert (dumped.code, migrated.code, restored.code) == (0, 0, 0), restored.stderr
    assert [line["name"] for line in listed.results] == [dumped.results[-1]["name"]]
    assert read_all(back) == before
    assert back.migrate().results[0]["action"] == "none"


def test_older_image_refuses_dump_of_newer_schema(postgres: Postgres, minio: Minio, tmp_path: Path) -> None:
    newer = new_installation("3.17.2", tmp_path / "newer", postgres=postgres, minio=minio)
    assert (newer.migrate().code, newer.run("dump").code) == (0, 0)

    back = make_empty_copy(replace(newer, venv=Venv(release="3.6.0")), tmp_path / "back")
    done = back.run("restore")

    assert done.code == 1
    assert "which this image does not know" in done.stderr
    assert "Traceback" not in done.stderr
    assert back.database.query("SELECT count(*) FROM pg_class WHERE relname = 'runs'") == [(0,)]
