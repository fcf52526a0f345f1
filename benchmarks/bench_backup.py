"""How long ``dump`` and ``restore`` take beside pg_dump and pg_restore, and in how much memory, in one run.

Run by `make bench-backup` on an idle machine. pg_dump's custom format is compressed as well, by zlib.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pod import Bucket, Database, Pod, Venv

from cdk8s_mlflow.releases import DEFAULT_RELEASE
from live.servers import Minio, Postgres
from live.servers.cache import debian_program

ROWS = int(os.environ.get("ROWS", "8000000"))
"""Of metrics: 1 GB of table and index at eight million."""

SEED = (
    "INSERT INTO experiments (name, artifact_location, lifecycle_stage) VALUES ('e', 'mlflow-artifacts:/1', 'active')",
    "INSERT INTO runs (run_uuid, experiment_id, lifecycle_stage) SELECT md5(n::text), 1, 'active'"
    " FROM generate_series(1, 1000) n",
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
    " SELECT 'loss', random(), 1700000000000 + n, md5((1 + n %% 1000)::text), n, false"
    " FROM generate_series(1, {rows}) n",
    "ANALYZE",
)


def timed(what: str, command: list[str | Path], environment: dict[str, str]) -> float:
    """Run a program, and print its seconds, processor time and memory."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # wait4 tells the memory of this one process; resource.getrusage would tell the largest of all children so far.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status:
        sys.exit(f"error: {what} failed")
    processor = usage.ru_utime + usage.ru_stime
    print(f"{what}: {seconds:.1f} s, {processor:.1f} s of processor, {usage.ru_maxrss / 1024:.0f} MB", flush=True)
    return seconds


def program(pod: Pod, name: str) -> float:
    command = [pod.venv.mlflow_sso, name, "--secrets-root", pod.secrets_root]
    return timed(f"mlflow-sso {name}", command, pod.environment)


def bench(postgres: Postgres, minio: Minio, folder: Path) -> None:
    bucket, dumps = Bucket(server=minio), Bucket(server=minio)
    for each in (bucket, dumps):
        each.client.make_bucket(each.name)
    settings = {"MLFLOW_SSO_BACKUP_TARGET": f"s3://{dumps.name}"}
    pods = []
    for number in range(2):
        database = Database(server=postgres)
        database.create()
        venv = Venv(release=os.environ.get("RELEASE", DEFAULT_RELEASE))
        # The second one is empty, to restore into.
        pods.append(Pod(venv=venv, folder=folder / str(number), database=database, bucket=bucket, settings=settings))
        pods[-1].folder.mkdir()
        pods[-1].mount()
    full, empty = pods
    if full.migrate().code:
        sys.exit("error: the migration failed")
    for statement in SEED:
        full.database.query(statement.format(rows=ROWS))
    ((size,),) = full.database.query("SELECT pg_database_size(current_database()) >> 20")
    print(f"{ROWS} rows, {size} MB, load {os.getloadavg()[0]:.1f}")
    file, path = folder / "dump", {"PATH": os.environ["PATH"]}
    pg_dump, pg_restore = (
        debian_program(name, package="postgresql", folders="/usr/lib/postgresql/*/bin")
        for name in ("pg_dump", "pg_restore")
    )
    theirs = timed("pg_dump", [pg_dump, "-Fc", "-f", file, full.database.superuser_dsn("mlflow")], path)
    ours = program(full, "dump")
    print(f"dump takes {ours / theirs:.2f} x of pg_dump")
    other = full.database.server.dsn(
        user=postgres.superuser, password=postgres.superuser_password, database=empty.database.name("mlflow_auth")
    )
    theirs = timed("pg_restore", [pg_restore, "--no-owner", "-d", other, file], path)
    # Empty again, since `restore` refuses a database that has tables.
    empty.database.superuser("DROP DATABASE {database}", service="mlflow_auth")
    empty.database.superuser("CREATE DATABASE {database} OWNER {role}", service="mlflow_auth")
    ours = program(empty, "restore")
    print(f"restore takes {ours / theirs:.2f} x of pg_restore")


def main() -> None:
    with Postgres() as postgres, Minio() as minio, tempfile.TemporaryDirectory() as folder:
        bench(postgres, minio, Path(folder))


if __name__ == "__main__":
    main()
