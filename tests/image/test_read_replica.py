"""Why a read replica is refused: MLflow looks up on a real streaming standby what it has just written."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from pod import Bucket, Database, Pod, Venv

from live.servers import Minio, Postgres
from live.servers.cache import debian_program

pytestmark = pytest.mark.servers

REPLICA = "_MLFLOW_SERVER_READ_REPLICA_BACKEND_STORE"
"""What MLFLOW_READ_REPLICA_BACKEND_STORE_URI becomes in a server (``mlflow.server.constants``)."""
WRITE_THEN_READ = """
import json, os, sys
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.server.handlers import _get_tracking_store

said = {}


def ask(what, call):
    try:
        answer, said[what] = call(), "done"
    except MlflowException as error:
        answer, said[what] = None, error.error_code
    return answer


store = _get_tracking_store(os.environ["MLFLOW_BACKEND_STORE_URI"], "mlflow-artifacts:/")
experiment = ask("create experiment", lambda: store.create_experiment(sys.argv[1]))
ask("get experiment", lambda: store.get_experiment(experiment))
run = ask("create run", lambda: store.create_run(experiment, "anna", 1, [], "first"))
if run:
    ask("log", lambda: store.log_batch(run.info.run_id, [Metric("loss", 1.0, 1, 1)], [], []))
    ask("get metric", lambda: store.get_run(run.info.run_id).data.metrics["loss"])
print(json.dumps(said))
"""


@pytest.fixture
def primary() -> Iterator[Postgres]:
    with Postgres(parameters={"wal_level": "replica"}) as server:
        yield server


@contextmanager
def streaming_from(primary: Postgres, parameters: Mapping[str, str]) -> Iterator[Postgres]:
    """A standby that streams from ``primary``."""
    standby = Postgres(superuser_password=primary.superuser_password, parameters={"hot_standby": "on", **parameters})
    copy = standby.folder / "cluster"
    program = debian_program("postgres", package="postgresql", folders="/usr/lib/postgresql/*/bin")
    options = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
    command = [program.with_name("pg_basebackup"), "--dbname", primary.superuser_dsn, "--pgdata", copy, *options]
    subprocess.run(command, check=True, capture_output=True)
    for path in (copy, *copy.rglob("*")):
        if standby.user():
            shutil.chown(path, standby.user(), standby.user())
    with standby:
        yield standby


@pytest.fixture
def pod(primary: Postgres, minio: Minio, tmp_path: Path) -> Pod:
    """Migrated databases of the release that knows replicas; its service ``replica`` leads to the standby."""
    pod = Pod(
        venv=Venv(release="3.17.2"),
        folder=tmp_path,
        database=Database(server=primary),
        bucket=Bucket(server=minio),
    )
    pod.database.create()
    pod.mount()
    migrated = pod.migrate()
    assert migrated.code == 0, migrated.stderr
    return pod


def write_then_read(pod: Pod, standby: Postgres) -> dict[str, str]:
    """What the store says to a client that reads what it has just written."""
    file = pod.secrets_root / "db/pg_service.conf"
    own = file.read_text()
    other = own.partition("[mlflow_auth]")[0].replace("[mlflow]", "[replica]")
    file.write_text(own + other.replace(f"port={pod.database.server.port}", f"port={standby.port}"))
    done = pod.python(WRITE_THEN_READ, "mine", **{REPLICA: "postgresql+psycopg2:///?service=replica"})
    assert done.code == 0, done.stderr
    said: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_late_replica_loses_what_was_written(primary: Postgres, pod: Pod) -> None:
    with streaming_from(primary, {"recovery_min_apply_delay": "2s"}) as standby:
        said = write_then_read(pod, standby)

    missing = "RESOURCE_DOES_NOT_EXIST"
    assert said == {"create experiment": "done", "get experiment": missing, "create run": missing}


def test_awaited_replica_stops_writes_with_it(primary: Postgres, pod: Pod) -> None:
    pod.database.configure("synchronous_commit", "remote_apply")
    pod.database.superuser("ALTER SYSTEM SET synchronous_standby_names TO '*'")
    pod.database.superuser("SELECT pg_reload_conf()")

    with streaming_from(primary, {}) as standby:
        said = write_then_read(pod, standby)
        with psycopg.connect(standby.superuser_dsn, autocommit=True) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
        waits = waits_for_replica(pod)

    assert set(said.values()) == {"done"}
    assert "get metric" in said
    assert waits


def waits_for_replica(pod: Pod) -> bool:
    """Whether a write is still waiting for the standby after three seconds."""
    with psycopg.connect(pod.database.dsn("mlflow")) as writer:
        writer.execute("CREATE TABLE waiting ()")
        committing = Thread(target=writer.commit)
        committing.start()
        committing.join(timeout=3)
        still = committing.is_alive()
        pod.database.superuser("ALTER SYSTEM SET synchronous_standby_names TO ''")
        pod.database.superuser("SELECT pg_reload_conf()")
        committing.join(timeout=60)
    return still
