"""The programs through PgBouncer in transaction mode: they end as without it, and leave nothing in its sessions."""

import json
import random
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from garbage import Garbage
from pod import Database, Pod, Venv
from schema_dump import schema_dumps
from serving import API, SETTINGS, Serving, make_run, make_users, mount_server_secrets, together

from testbed.servers import PgBouncer

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SESSION = """
SELECT (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'),
  (SELECT count(*) FROM pg_cursors WHERE name <> ''), (SELECT count(*) FROM pg_prepared_statements),
  (SELECT count(*) FROM pg_class WHERE relpersistence = 't'), (SELECT count(*) FROM pg_listening_channels()),
  (SELECT array_agg(name) FROM pg_settings WHERE source = 'session' AND name = ANY (%s))
"""
WATCHED = [
    "lock_timeout",
    "statement_timeout",
    "default_transaction_read_only",
    "search_path",
    "session_replication_role",
]
CLEAN = (0, 0, 0, 0, 0, None)
PAGES = """
import json, sys, time
from contextlib import closing
from pathlib import Path
from mlflow_sso.database import connect
from mlflow_sso.deadline import Deadline
from mlflow_sso.garbage_collection.due import DUE, expired
from mlflow_sso.schemas import schemas
from mlflow_sso.secrets_root import SecretsRoot
schema, _ = schemas(SecretsRoot(Path("/nowhere")))
now = int(time.time() * 1000)
with closing(connect(schema, deadline=Deadline(5), program="test")) as connection:
    connection.autocommit = False
    read = lambda kind, size: [[item.id for item in page] for page in expired(connection, kind, before=now, size=size)]
    print(json.dumps([(read(kind, 1000)[0], read(kind, 1)) for kind in DUE]))
"""


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """A pod whose service file names the pooler."""

    pod: Pod
    pooler: PgBouncer

    def sessions(self, service: str = "mlflow") -> list[Any]:
        """What each of the pooler's sessions keeps, all held at once."""
        database = self.pod.database
        dsn = self.pooler.dsn(user=database.role, password=database.password, database=database.name(service))
        with ExitStack() as stack:
            opened = [stack.enter_context(closing(psycopg.connect(dsn))) for _ in range(self.pooler.sessions)]
            # A prepared statement would be one of those that are counted.
            return [connection.execute(SESSION, [WATCHED], prepare=False).fetchone() for connection in opened]

    def assert_clean(self) -> None:
        for service in ("mlflow", "mlflow_auth"):
            assert self.sessions(service) == [CLEAN] * self.pooler.sessions


@pytest.fixture
def pool() -> Iterator[Callable[[Pod], Pooled]]:
    """Puts a pooler in front of a pod's databases."""
    with ExitStack() as stack:

        def start(pod: Pod) -> Pooled:
            database = pod.database
            pooler = PgBouncer(postgres=database.server, users={database.role: database.password})
            file = pod.secrets_root / "db" / "pg_service.conf"
            file.write_text(re.sub(r"(?m)^port=\d+$", f"port={pooler.port}", file.read_text()))
            return Pooled(pod=pod, pooler=stack.enter_context(pooler))

        yield start


def test_migrate_through_pooler_leaves_nothing(pod: Pod, pool: Callable[[Pod], Pooled]) -> None:
    pooled = pool(pod)

    first, second, waited = pod.migrate(), pod.migrate("--timeout", "10"), pod.run("wait-for-schema", "--timeout", "10")

    assert [line["action"] for line in first.results] == ["initialised", "initialised"], first.stderr
    assert [line["action"] for line in second.results] == ["none", "none"], second.stderr
    assert waited.code == 0, waited.stderr
    pooled.assert_clean()


@pytest.mark.parametrize("part", range(4))
def test_killed_migration_behind_pooler_is_repeated(pod: Pod, pool: Callable[[Pod], Pooled], part: int) -> None:
    pooled = pool(pod)

    pod.migrate(kill_after=random.uniform(0.5 * part, 0.5 * part + 0.5))
    after = pod.migrate("--timeout", "60")

    assert after.code == 0, after.stderr
    assert pod.run("wait-for-schema", "--timeout", "10").code == 0
    pooled.assert_clean()


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_old_databases_are_upgraded_through_pooler(
    make_pod: Callable[..., Pod], pool: Callable[[Pod], Pooled], tmp_path: Path
) -> None:
    old = make_pod()
    assert replace(old, venv=Venv(release="3.6.0"), forks=None).run("migrate").code == 0
    direct = old.copy(tmp_path)
    assert direct.migrate().code == 0
    pooled = pool(old)

    done = old.migrate("--timeout", "60")

    assert [line["action"] for line in done.results] == ["upgraded", "upgraded"], done.stderr
    assert schema_dumps(old.database) == schema_dumps(direct.database)
    pooled.assert_clean()


def test_migration_waits_for_statement_of_killed_one(pod: Pod) -> None:
    dsn = f"{pod.database.dsn('mlflow')} application_name='mlflow-sso migrate'"
    with psycopg.connect(dsn, autocommit=True) as killed:
        sleeping = threading.Thread(target=killed.execute, args=["SELECT pg_sleep(2)"])
        sleeping.start()
        done = pod.migrate("--timeout", "60")
        sleeping.join()

    assert done.code == 0, done.stderr
    assert "waiting for another migration" in [line["message"] for line in done.progress]


def test_gc_through_pooler_deletes_the_same(
    make_pod: Callable[..., Pod], pool: Callable[[Pod], Pooled], tmp_path: Path
) -> None:
    garbage = Garbage.strew(make_pod())
    other = garbage.copy(tmp_path)
    direct = garbage.pod.run("gc", "--older-than", "30d")
    pooled = pool(other.pod)

    done = other.pod.run("gc", "--older-than", "30d")

    assert done.code == direct.code == 0, done.stderr
    assert done.results[-1] == direct.results[-1]
    assert done.results[-1]["run"] > 0
    pooled.assert_clean()


def test_due_runs_are_read_in_pages(make_pod: Callable[..., Pod]) -> None:
    garbage = Garbage.strew(make_pod())

    done = garbage.pod.python(PAGES)

    assert done.code == 0, done.stderr
    for whole, pages in json.loads(done.stdout):
        assert len(pages) == len(whole) > 1
        assert [item for page in pages for item in page] == whole


def test_server_and_dump_work_through_pooler(migrated_pod: Pod, pool: Callable[[Pod], Pooled], tmp_path: Path) -> None:
    # given
    target = f"backup-{secrets.token_hex(4)}"
    migrated_pod.bucket.client.make_bucket(target)
    settings = {**migrated_pod.settings, **SETTINGS, "MLFLOW_SSO_BACKUP_TARGET": f"s3://{target}/mlflow"}
    pod = replace(migrated_pod, settings=settings)
    mount_server_secrets(pod)
    pooled = pool(pod)
    keys = make_users(pod)

    # when
    with Serving(pod=pod) as serving:
        client = serving.wait().client("anna", keys["anna"])
        runs = [make_run(client) for _ in range(3)]
        answers = together(client, 12)
        found = client.get(f"{API}/runs/get", params={"run_id": runs[-1]})
        # The first scrape only starts the reading of the databases.
        while "mlflow_sso_database_up" not in (metrics := serving.metrics()):
            time.sleep(0.1)
        dumped = pod.run("dump")
        pooled.assert_clean()
    empty = Database(server=pod.database.server)
    empty.create()
    restored = replace(pod, database=empty, folder=tmp_path / "new")
    restored.mount()
    pooled = pool(restored)
    back = restored.run("restore")

    # then
    assert answers == [200] * 12
    assert found.status_code == 200
    assert 'mlflow_sso_database_up{database="mlflow"} 1.0' in metrics
    assert (dumped.code, back.code) == (0, 0), dumped.stderr + back.stderr
    assert restored.database.query("SELECT count(*) FROM runs") == [(3,)]
    pooled.assert_clean()
