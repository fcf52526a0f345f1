"""How much the memory of a worker grows over many mixed requests: below 5 % from the 5,000th to the last.

Run by `make bench-memory`; load makes it take longer and changes nothing else.
"""

import itertools
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
from bench_image import USER, prepared
from serving import API, Serving, make_run

from cdk8s_mlflow.releases import RELEASES
from live.processes import resident
from live.servers import Minio, Postgres

REQUESTS = int(os.environ.get("REQUESTS", "50000"))
WARM = REQUESTS // 10
CLIENTS = 8
MOST = 1.05
"""Times the memory that it had when it was warm."""


def requests(client: httpx.Client, wrong: httpx.Client) -> Iterator[httpx.Response]:
    """What training loops, people, and clients without a right ask, in turn."""
    run = make_run(client)
    experiment = client.get(f"{API}/runs/get?run_id={run}").json()["run"]["info"]["experiment_id"]
    artifact = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/model.bin"
    for step in itertools.count():
        metrics = [{"key": f"m{number}", "value": step, "timestamp": step, "step": step} for number in range(5)]
        yield client.post(f"{API}/runs/log-batch", json={"run_id": run, "metrics": metrics})
        yield client.post(f"{API}/runs/search", json={"experiment_ids": [experiment], "max_results": 50})
        yield client.post(f"{API}/experiments/search", json={"max_results": 25})
        yield client.get(f"{API}/metrics/get-history?run_id={run}&metric_key=m0&max_results=100")
        yield wrong.get(f"{API}/runs/get?run_id={run}")
        # Rare, as in training; a megabyte with each step would measure only the store.
        if step % 20 == 0:
            yield client.put(artifact, content=os.urandom(1 << 20))
            yield client.get(artifact)


def ask(server: Serving, key: str, count: int, answered: "itertools.count[int]", lock: threading.Lock) -> None:
    """Until all clients together have been answered ``count`` times."""
    with server.client(USER, key) as client, server.client(USER, "no key") as wrong:
        for answer in requests(client, wrong):
            # Refusals are part of the mix, faults are not.
            if answer.status_code >= 500:
                # The log is deleted with its folder.
                log = "\n".join(server.log.read_text().splitlines()[-60:])
                raise SystemExit(f"error: {answer.request.url.path} was answered with {answer.status_code}\n{log}")
            with lock:
                if next(answered) >= count:
                    return


def measure(release: str, postgres: Postgres, minio: Minio) -> bool:
    """Print the figures of a release; whether its memory stayed within the bound."""
    with prepared(release, postgres, minio) as bench, bench.ours() as server:
        bench.wait(server)
        before, after = (used_after(server, bench.key, count) for count in (WARM, REQUESTS - WARM))
    print(f"release {release}: {before:.0f} MB after {WARM:,}, {after:.0f} MB after {REQUESTS:,} requests,", end=" ")
    print(f"{after / before:.3f} x (below {MOST})", flush=True)
    return after / before < MOST


def used_after(server: Serving, key: str, count: int) -> float:
    """Megabytes of the server after ``count`` more requests."""
    answered, lock = itertools.count(1), threading.Lock()
    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = [pool.submit(ask, server, key, count, answered, lock) for _ in range(CLIENTS)]
    # Raises here what a client's thread has raised.
    for one in asked:
        one.result()
    return resident(server.process.pid) / 1e6


def main() -> None:
    print(f"load {os.getloadavg()[0]:.1f}")
    with Postgres() as postgres, Minio() as minio:
        found = [measure(release, postgres, minio) for release in sys.argv[1:] or RELEASES]
    if not all(found):
        raise SystemExit("error: memory grows")


if __name__ == "__main__":
    main()
