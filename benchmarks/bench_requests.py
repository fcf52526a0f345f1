"""What metrics and JSON logs of a request cost, in microseconds of processor, beside the request without them.

Run by `make bench-requests` in the image's environment. Many short rounds in turn, so that a loaded machine does no
harm. A log-batch takes about 7,000 of them in the server (docs/tasks/scale.md).
"""

import asyncio
import ipaddress
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

ROUNDS, REQUESTS = 40, 400
CLIENT = ("10.0.0.1", 40000)
HEADERS = {"host": "mlflow.example.com", "x-forwarded-for": "10.0.0.9", "authorization": "Basic eA==", "accept": "*/*"}
BODY = b"x" * 400


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Note what a log-batch notes, and answer."""
    from mlflow_sso.serve.request_metrics import record_of

    record = record_of(scope)
    record.rule, record.user = "edit run", "anna@example.com"
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def receive() -> dict[str, Any]:
    """The whole body."""
    return {"type": "http.request", "body": BODY, "more_body": False}


async def send(_: object) -> None:
    """Drop the answer."""


async def main(folder: Path) -> None:
    # Only now: where prometheus_client counts is read when it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    from mlflow_sso.serve.event_log import EventLog
    from mlflow_sso.serve.request_metrics import RequestMetrics

    trusted = [ipaddress.ip_network("10.0.0.0/8")]
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    scope = {"type": "http", "method": "POST", "path": "/api/2.0/mlflow/runs/log-batch", "query_string": b""}
    scope |= {"client": CLIENT, "headers": headers}
    with (folder / "log").open("w") as log:
        servers = {
            "neither": application,
            "metrics": RequestMetrics(application, trusted=trusted),
            "metrics and JSON logs": RequestMetrics(application, trusted=trusted, log=EventLog(stream=log)),
        }
        spent: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(ROUNDS):
            for name, server in servers.items():
                started = time.process_time()
                for _ in range(REQUESTS):
                    await server(dict(scope), receive, send)
                spent[name].append((time.process_time() - started) / REQUESTS * 1e6)
    for name, found in spent.items():
        print(f"{name}: {statistics.median(found):.0f} microseconds of processor a request")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(Path(temporary)))
