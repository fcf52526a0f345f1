"""What a training loop waits for with single sign-on: logged steps beside MLflow's own server, in turn, in one run.

Run by `make bench-steps`. The ratio of the medians counts: load of the machine falls on both servers.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench_scale import SIZES, prepared, wait
from plain_server import Plain
from pod import Pod
from serving import Serving

from cdk8s_mlflow.releases import RELEASES
from live.servers import Minio, Postgres
from testbed.processor_time import cpu_seconds

STEPS = 100
ROUNDS = int(os.environ.get("ROUNDS", "9"))
MOST = 1.2
"""Times as long as plain MLflow, at most."""
USER = "bert"

CLIENT = """
import json, sys, time
import mlflow
# MLflow prints the address of each run.
answers, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    task = json.loads(line)
    mlflow.set_tracking_uri(task["url"])
    mlflow.set_experiment(task["name"])
    with mlflow.start_run():
        mlflow.log_metric("loss", 1.0, step=0)
        started, used = time.perf_counter(), time.process_time()
        for step in range(1, task["steps"] + 1):
            mlflow.log_metric("loss", 1.0 / step, step=step)
        seconds, processor = time.perf_counter() - started, time.process_time() - used
    print(json.dumps({"seconds": seconds, "processor": processor}), file=answers, flush=True)
"""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds of a loop, and milliseconds of processor that the server, PostgreSQL and the client took for a step."""

    seconds: float
    server: float
    postgres: float
    client: float


@dataclass(frozen=True, kw_only=True)
class Client:
    """A process of MLflow's client, which takes seconds to start and then logs to one server after the other."""

    process: "subprocess.Popen[str]"
    postgres: Postgres

    def loop(self, server: Plain | Serving) -> Cost:
        """A hundred steps."""
        pids = [server.process.pid, self.postgres.pid]
        before = [cpu_seconds(pid) for pid in pids]
        found = self._ask({"url": server.url, "name": f"loop {server.port}", "steps": STEPS})
        used = [(cpu_seconds(pid) - earlier) * 1000 / STEPS for pid, earlier in zip(pids, before, strict=True)]
        client = found["processor"] * 1000 / STEPS
        return Cost(seconds=found["seconds"], server=used[0], postgres=used[1], client=client)

    def _ask(self, task: dict[str, Any]) -> dict[str, float]:
        if self.process.stdin is None or self.process.stdout is None:
            raise SystemExit("error: the client has no pipes")
        print(json.dumps(task), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("error: the training loop failed")
        found: dict[str, float] = json.loads(line)
        return found


@contextmanager
def client(pod: Pod, key: str, postgres: Postgres) -> Iterator[Client]:
    """A client with an access key, which plain MLflow does not look at."""
    login = {"MLFLOW_TRACKING_USERNAME": f"{USER}@example.com", "MLFLOW_TRACKING_PASSWORD": key}
    process = subprocess.Popen(
        [pod.venv.python, "-c", CLIENT],
        env={**pod.environment, **login},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Client(process=process, postgres=postgres)
    finally:
        process.communicate(timeout=60)


def report(release: str, size: str, plain: list[Cost], ours: list[Cost]) -> bool:
    """Print the medians; whether ours is within the bound."""
    both = [{name: statistics.median(getattr(one, name) for one in rounds) for name in vars(plain[0])}
            for rounds in (plain, ours)]  # fmt: skip
    first, second = both
    ratio = second["seconds"] / first["seconds"]
    parts = ", ".join(f"{name} {first[name]:.1f} / {second[name]:.1f}" for name in ("server", "postgres", "client"))
    print(
        f"{release:7} {size:6} {STEPS} steps {first['seconds']:.2f} / {second['seconds']:.2f} s, {ratio:.2f} x", end=" "
    )
    print(f"(at most {MOST:g}); processor of a step: {parts} ms; load {os.getloadavg()[0]:.1f}", flush=True)
    return ratio <= MOST


def measure(release: str, size: str, postgres: Postgres, minio: Minio) -> bool:
    """Both servers in turn, on databases of that size."""
    with (
        prepared(release, size, postgres, minio) as (ours, plain, keys),
        Plain(pod=plain) as other,
        Serving(pod=ours) as server,
        client(ours, keys[USER], postgres) as loops,
    ):
        for one in (other, server):
            with one.client(USER, keys[USER]) as asking:
                wait(asking)
            # The first requests of a process import and prepare what the others find.
            loops.loop(one)
        costs = [(loops.loop(other), loops.loop(server)) for _ in range(ROUNDS)]
    return report(release, size, [one for one, _ in costs], [one for _, one in costs])


def main() -> None:
    """``bench_steps.py [RELEASE ...]``; ends with 1 if a ratio is above the bound."""
    print(f"cores {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}; plain / ours")
    asked = os.environ.get("SIZE")
    sizes = [asked] if asked else list(SIZES)
    if not set(sizes) <= set(SIZES):
        raise SystemExit(f"error: {sizes[0]!r} is no size; use {' or '.join(SIZES)}")
    with Postgres() as postgres, Minio() as minio:
        found = [measure(release, size, postgres, minio) for release in sys.argv[1:] or RELEASES for size in sizes]
    if not all(found):
        raise SystemExit("error: logging a step takes too long")


if __name__ == "__main__":
    main()
