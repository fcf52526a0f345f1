"""What the bench asks of a server: batches of metrics for one run, and searches of an experiment with some runs."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import httpx
from load import Request

MLFLOW = "/api/2.0/mlflow"
RUNS = 50
"""In the experiment that is searched, each with some parameters, metrics and tags."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """The requests of one login."""

    log_batch: Request
    search: Request

    def without_login(self) -> Self:
        """The same requests for a server without login."""
        return self.with_headers({})

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """The same requests with another login."""
        log_batch, search = (replace(request, headers=headers) for request in (self.log_batch, self.search))
        return replace(self, log_batch=log_batch, search=search)


def prepared_work(client: httpx.Client) -> Work:
    """Create an experiment with runs as the user of ``client``."""
    made = _post(client, "experiments/create", name=f"bench {secrets.token_hex(6)}")
    experiment = made["experiment_id"]
    run = [_run(client, experiment) for _ in range(RUNS)][-1]
    metrics = [{"key": f"m{number}", "value": 1.5, "timestamp": 1, "step": 1} for number in range(10)]
    headers = login_headers(client)
    return Work(
        log_batch=Request(
            path=f"{MLFLOW}/runs/log-batch", body=json.dumps({"run_id": run, "metrics": metrics}), headers=headers
        ),
        search=Request(
            path=f"{MLFLOW}/runs/search",
            body=json.dumps({"experiment_ids": [experiment], "max_results": RUNS}),
            headers=headers,
        ),
    )


def login_headers(client: httpx.Client) -> dict[str, str]:
    """What ``client`` logs in with."""
    sent = client.build_request("GET", "/")
    if client.auth is not None:
        # httpx computes the header only when it sends; Basic has one step.
        sent = next(client.auth.auth_flow(sent))
    return {name: sent.headers[name] for name in ("Authorization", "Cookie") if name in sent.headers}


def _post(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(f"{MLFLOW}/{path}", json=body).raise_for_status().json()
    return answer


def _run(client: httpx.Client, experiment: str) -> str:
    made = _post(client, "runs/create", experiment_id=experiment, start_time=1)
    run = str(made["run"]["info"]["run_id"])
    names = range(5)
    _post(
        client,
        "runs/log-batch",
        run_id=run,
        metrics=[{"key": f"m{name}", "value": name, "timestamp": 1, "step": 1} for name in names],
        params=[{"key": f"p{name}", "value": str(name)} for name in names],
        tags=[{"key": f"t{name}", "value": str(name)} for name in names],
    )
    return run
