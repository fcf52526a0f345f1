"""How long ``dump`` and ``restore`` take beside pg_dump and pg_restore, and in how much memory, in one run.

Run by `make bench-backup` on an idle machine; on a loaded one the ratio of processor time tells more, which is that of
the program and of PostgreSQL together. pg_dump's custom format is compressed as well, by zlib.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pod import Bucket, Database, Pod, Venv

from cdk8s_mlflow.releases import DEFAULT_RELEASE
from live.servers import Minio, Postgres
from live.servers.cache import debian_program

ROWS = int(os.environ.get("ROWS", "8000000"))
"""Of metrics: 1 GB of table and index at eight million."""

ROUNDS = int(os.environ.get("ROUNDS", "3"))
"""Of each program in turn, so that what else the machine does meets all of them; medians count."""

SEED = (
    "INSERT INTO experiments (name, artifact_location, lifecycle_stage) VALUES ('e', 'mlflow-artifacts:/1', 'active')",
    "INSERT INTO runs (run_uuid, experiment_id, lifecycle_stage) SELECT md5(n::text), 1, 'active'"
    " FROM generate_series(1, 1000) n",
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
    " SELECT 'loss', random(), 1700000000000 + n, md5((1 + n %% 1000)::text), n, false"
    " FROM generate_series(1, {rows}) n",
    "ANALYZE",
)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a program took, in seconds."""

    wall: float
    processor: float
    """Its own and PostgreSQL's."""


def server_processor(postgres: Postgres) -> float:
    """Seconds of processor that PostgreSQL has spent on sessions that have ended, with their parallel workers."""
    number = (postgres.folder / "cluster/postmaster.pid").read_text().split()[0]
    # A session ends after its client, and counts only once it is gone.
    while any(map(is_session, Path(f"/proc/{number}/task/{number}/children").read_text().split())):
        time.sleep(0.1)
    # Behind the name in brackets, which may hold spaces, cutime and cstime are 14th and 15th (proc_pid_stat(5)).
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def is_session(number: str) -> bool:
    """Whether a child of PostgreSQL is a client's session, a worker of one, or has ended and was not waited for."""
    try:
        title = Path(f"/proc/{number}/cmdline").read_text()
    except OSError:
        return False
    return not title or "127.0.0.1(" in title or "parallel worker" in title


def timed(what: str, command: list[str | Path], environment: dict[str, str], *, postgres: Postgres) -> Cost:
    """Run a program, and print what it took, and its memory."""
    started, served = time.monotonic(), server_processor(postgres)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # wait4 tells the memory of this one process; resource.getrusage would tell the largest of all children so far.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status:
        sys.exit(f"error: {what} failed")
    processor = usage.ru_utime + usage.ru_stime
    server = server_processor(postgres) - served
    print(
        f"{what}: {seconds:.1f} s, processor {processor:.1f} s and {server:.1f} s of PostgreSQL, "
        f"{usage.ru_maxrss / 1024:.0f} MB",
        flush=True,
    )
    return Cost(wall=seconds, processor=processor + server)


def program(pod: Pod, name: str) -> Cost:
    command = [pod.venv.mlflow_sso, name, "--secrets-root", pod.secrets_root]
    return timed(f"mlflow-sso {name}", command, pod.environment, postgres=pod.database.server)


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
    compare(full, empty, postgres, folder)


def compare(full: Pod, empty: Pod, postgres: Postgres, folder: Path) -> None:
    pg_dump, pg_restore = (
        debian_program(name, package="postgresql", folders="/usr/lib/postgresql/*/bin")
        for name in ("pg_dump", "pg_restore")
    )
    file, path = folder / "dump", {"PATH": os.environ["PATH"]}
    pairs: dict[str, list[tuple[Cost, Cost]]] = {"dump": [], "restore": []}
    for _ in range(ROUNDS):
        theirs = timed(
            "pg_dump", [pg_dump, "-Fc", "-f", file, full.database.superuser_dsn("mlflow")], path, postgres=postgres
        )
        pairs["dump"].append((program(full, "dump"), theirs))
        target = empty.database.superuser_dsn("mlflow")
        theirs = timed("pg_restore", [pg_restore, "--no-owner", "-d", target, file], path, postgres=postgres)
        recreate(empty)
        pairs["restore"].append((program(empty, "restore"), theirs))
        recreate(empty)
    for name, found in pairs.items():
        wall = median(ours.wall / theirs.wall for ours, theirs in found)
        processor = median(ours.processor / theirs.processor for ours, theirs in found)
        print(
            f"{name} takes {wall:.2f} x the time of pg_{name}, and {processor:.2f} x its processor time, "
            f"median of {len(found)}, load {os.getloadavg()[0]:.1f}"
        )


def recreate(pod: Pod) -> None:
    """Empty databases again, since `restore` refuses one that has tables."""
    for service in ("mlflow", "mlflow_auth"):
        pod.database.superuser("DROP DATABASE {database}", service=service)
        pod.database.superuser("CREATE DATABASE {database} OWNER {role}", service=service)
    pod.database.superuser("CHECKPOINT")


def main() -> None:
    with Postgres() as postgres, Minio() as minio, tempfile.TemporaryDirectory() as folder:
        bench(postgres, minio, Path(folder))


if __name__ == "__main__":
    main()
