"""What lists cost on large data: ours beside MLflow's own server of the same release, on the same rows, in one run.

Run by `make bench-scale` on an idle machine. Plain MLflow has a copy of the databases without the indexes of `migrate`.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from many_rows import Amount, fill
from plain_server import Plain
from pod import Bucket, Database, Pod, Venv
from serving import API, SETTINGS, Serving, make_users, mount_server_secrets

from live.servers import Minio, Postgres
from testbed.processor_time import cpu_seconds

SIZES = {
    "large": Amount(experiments=2000, runs=50, metrics=20, traces=25, versions=5, users=300, granted=166),
    "small": Amount(experiments=20, runs=5, metrics=20, traces=25, versions=5),
}
TIMES = 15
V3 = "/api/3.0/mlflow"
CALLERS = {"bert": "all granted", "carl": "1 grant"}


@dataclass(frozen=True, kw_only=True)
class List:
    """A request, and how many times as long as plain MLflow's it may take at most."""

    name: str
    path: str
    body: dict[str, Any] | None = None
    most: float = 2.0

    def ask(self, client: httpx.Client) -> None:
        method = "GET" if self.body is None else "POST"
        client.request(method, self.path, json=self.body).raise_for_status()


def _traces(experiment: str) -> dict[str, Any]:
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
    return {"locations": [place], "max_results": 25}


LISTS = (
    List(name="experiments, 1000", path=f"{API}/experiments/search", body={"max_results": 1000}),
    List(name="experiments, 25", path=f"{API}/experiments/search", body={"max_results": 25}, most=5),
    List(name="registered models, 100", path=f"{API}/registered-models/search?max_results=100"),
    List(name="registered models, 25", path=f"{API}/registered-models/search?max_results=25", most=5),
    List(name="model versions, 100", path=f"{API}/model-versions/search?max_results=100"),
    List(name="runs of an experiment", path=f"{API}/runs/search", body={"experiment_ids": ["1"]}, most=0.8),
    List(name="logged models", path=f"{API}/logged-models/search", body={"experiment_ids": ["1"]}, most=5),
    List(name="traces", path=f"{V3}/traces/search", body=_traces("1"), most=5),
    List(name="data sets", path=f"{V3}/datasets/search", body={"experiment_ids": ["1"]}, most=5),
    List(name="scorers", path=f"{V3}/scorers/list?experiment_id=1", most=5),
)


@contextmanager
def prepared(release: str, size: str, postgres: Postgres, minio: Minio) -> Iterator[tuple[Pod, Pod, dict[str, str]]]:
    """Our databases, plain MLflow's, and the keys of the callers."""
    with tempfile.TemporaryDirectory() as folder:
        database, bucket = Database(server=postgres), Bucket(server=minio)
        database.create()
        bucket.client.make_bucket(bucket.name)
        settings = {**SETTINGS}
        ours = Pod(venv=Venv(release=release), folder=Path(folder, "ours"), database=database, bucket=bucket,
                   settings=settings)  # fmt: skip
        ours.mount()
        mount_server_secrets(ours)
        migrated = ours.run("migrate")
        if migrated.code:
            raise SystemExit(f"error: cannot migrate: {migrated.stderr}")
        keys = make_users(ours)
        started = time.perf_counter()
        fill(database, SIZES[size])
        print(f"rows made in {time.perf_counter() - started:.0f} s")
        Path(folder, "plain").mkdir()
        plain = replace(ours.copy(Path(folder, "plain")), settings={})
        for (name,) in plain.database.query("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'mlflow_sso_%%'"):
            # The copy has them from ours, and MLflow creates none of them.
            plain.database.query(f'DROP INDEX "{name}"')
        yield ours, plain, keys


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Milliseconds of one answer: the median until it arrives, and the server's processor, which load changes less."""

    wall: float
    processor: float


def cost(client: httpx.Client, asked: List, pid: int) -> Cost:
    """Of some answers of the server ``pid``, after one that is not counted."""
    # The first answer of a kind fills caches of statements and of PostgreSQL.
    asked.ask(client)
    before, times = cpu_seconds(pid), []
    for _ in range(TIMES):
        started = time.perf_counter()
        asked.ask(client)
        times.append((time.perf_counter() - started) * 1000)
    return Cost(wall=statistics.median(times), processor=(cpu_seconds(pid) - before) * 1000 / TIMES)


def wait(client: httpx.Client) -> None:
    """Until the server answers, two minutes at most."""
    deadline = time.monotonic() + 120
    while True:
        try:
            if client.get(f"{API}/experiments/search?max_results=1").status_code == 200:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit("error: a server does not answer")
        # A server that starts needs the processor more than these questions do.
        time.sleep(0.1)


def line(release: str, asked: List, caller: str, plain: Cost, ours: Cost) -> str:
    """Both costs, and how they compare."""
    ratio = f"{ours.wall / plain.wall:5.2f} x (at most {asked.most:g})"
    processor = f"processor {plain.processor:6.1f} / {ours.processor:6.1f} ms"
    return f"{release:7} {asked.name:24} {caller:12} {plain.wall:8.1f} / {ours.wall:8.1f} ms {ratio:20} {processor}"


def measure(release: str, size: str, postgres: Postgres, minio: Minio) -> None:
    """Print a line for each list and caller, plain and ours in turn."""
    with (
        prepared(release, size, postgres, minio) as (ours, plain, keys),
        Plain(pod=plain) as other,
        Serving(pod=ours) as server,
        other.client("", "") as plainly,
    ):
        wait(plainly)
        for user, what in CALLERS.items():
            with server.client(user, keys[user]) as client:
                wait(client)
                for asked in LISTS:
                    plain_cost = cost(plainly, asked, other.process.pid)
                    print(line(release, asked, what, plain_cost, cost(client, asked, server.process.pid)), flush=True)


def main() -> None:
    """``bench_scale.py [small|large] [RELEASE ...]``."""
    size = sys.argv[1] if sys.argv[1:] else "large"
    if size not in SIZES:
        raise SystemExit(f"error: {size!r} is no size; use {' or '.join(SIZES)}")
    print(f"cores {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}; plain / ours")
    with Postgres() as postgres, Minio() as minio:
        for release in sys.argv[2:] or ("3.6.0", "3.17.2"):
            measure(release, size, postgres, minio)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
