"""Traefik's limits by source: a training fleet behind one address never meets them, a flood of logins does."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from deployment import Deployment

from live.node.node import Node

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

API = "/api/2.0/mlflow"
FLEET, STEPS = 50, 5
ATTEMPTS = 20
"""Of a request that a busy server asks to send again; MLflow's client makes 8, with longer pauses."""
TAKEN = (200, 429, 503)
"""What a client hears that is served, or shall send again."""
FLOODERS, REQUESTS = 30, 6_000
"""Fewer at once than ``logins_in_flight``, so that only the rate is exceeded; and so many requests in all at most."""


def test_limits_let_training_fleet_log(deployment: Deployment) -> None:
    login = login_of(deployment, "fleet")
    with deployment.client(auth=login) as client:
        experiment = post(client, "experiments/create", name="fleet")["experiment_id"]
        runs = [post(client, "runs/create", experiment_id=experiment)["run"]["info"]["run_id"] for _ in range(FLEET)]
        together = threading.Barrier(FLEET)

        with ThreadPoolExecutor(FLEET) as threads:
            answers = [*threads.map(lambda run: train(deployment, login, run, together), runs)]

        assert [(one.status_code, one.text) for every in answers for one in every if of_traefik(one)] == []
        assert [(one.status_code, one.text) for every in answers for one in every if one.status_code not in TAKEN] == []
        assert {run: steps_of(client, run) for run in runs} == {run: [*range(STEPS)] for run in runs}


@pytest.mark.parametrize(("path", "other"), [("/login", "/callback"), ("/callback", "/login")])
def test_limits_refuse_flood_of_its_path_only(deployment: Deployment, node: Node, path: str, other: str) -> None:
    login = login_of(deployment, "flooded")
    logged_in: list[int] = []

    with deployment.client(auth=login) as client, ThreadPoolExecutor(FLOODERS) as threads:
        flood = [threads.submit(ask_until_refused, deployment, path) for _ in range(FLOODERS)]
        while not logged_in or not all(asked.done() for asked in flood):
            logged_in.append(client.post(f"{API}/experiments/search", json={"max_results": 1}).status_code)
            time.sleep(0.5)
        answers = [answer for asked in flood for answer in asked.result()]
    beside = ask(deployment, other, times=5)

    refused = [answer for answer in answers if answer.status_code == 429]
    # A flood of fewer than the burst would be one that the limits allow.
    assert 0 < len(refused) < len(answers)
    assert len(answers) - len(refused) >= deployment.settings.ingress.limits.login_burst
    assert all(of_traefik(answer) for answer in refused)
    assert set(logged_in) == {200}
    assert [answer.text for answer in beside if answer.status_code == 429] == []
    node.wait("an end of the refusals", lambda: ask(deployment, path, times=1)[0].status_code != 429)


def login_of(deployment: Deployment, name: str) -> tuple[str, str]:
    """A user's name and a fresh access key."""
    user = deployment.user(name)
    return user.email, deployment.access_key(user)


def train(
    deployment: Deployment, login: tuple[str, str], run: str, together: threading.Barrier
) -> list[httpx.Response]:
    """Log every step of a run over a connection of its own, begun at the same time as others; all answers."""
    with deployment.client(auth=login, retries=3) as client:
        together.wait()
        return [answer for step in range(STEPS) for answer in log_step(client, run, step)]


def log_step(client: httpx.Client, run: str, step: int) -> list[httpx.Response]:
    """Send a step until it is taken, as MLflow's client does; all answers."""
    metrics = [{"key": "loss", "value": 1 / (step + 1), "timestamp": step, "step": step}]
    answers: list[httpx.Response] = []
    for _ in range(ATTEMPTS):
        answers.append(client.post(f"{API}/runs/log-batch", json={"run_id": run, "metrics": metrics}))
        if answers[-1].status_code not in (429, 503):
            break
        time.sleep(int(answers[-1].headers.get("Retry-After", 1)))
    return answers


def of_traefik(answer: httpx.Response) -> bool:
    """Whether a limit of Traefik's refused it: the server's own refusals say ``Retry-After`` and no more."""
    own = answer.headers.get("Retry-After") and "X-Retry-In" not in answer.headers
    return answer.status_code in (429, 503) and not own


def steps_of(client: httpx.Client, run: str) -> list[int]:
    """Steps that a run has, in order."""
    # MLflow 3.6.0 takes an absent max_results for 0, and answers with none.
    query: dict[str, str | int] = {"run_id": run, "metric_key": "loss", "max_results": 2 * STEPS}
    answer = client.get(f"{API}/metrics/get-history", params=query).raise_for_status()
    return sorted(int(metric.get("step", 0)) for metric in answer.json().get("metrics", []))


def ask(deployment: Deployment, path: str, *, times: int) -> list[httpx.Response]:
    """What a client without a login hears, which follows no redirect."""
    with deployment.client() as client:
        return [client.get(path, follow_redirects=False) for _ in range(times)]


def ask_until_refused(deployment: Deployment, path: str) -> list[httpx.Response]:
    """As one of those who flood it; a machine so busy that it takes long to exceed the rate is given the time."""
    answers: list[httpx.Response] = []
    with deployment.client() as client:
        while not answers or (answers[-1].status_code != 429 and len(answers) < REQUESTS // FLOODERS):
            answers.append(client.get(path, follow_redirects=False))
    return answers


def post(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    """A call of the REST API that succeeds."""
    answer = client.post(f"{API}/{path}", json=body)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content
