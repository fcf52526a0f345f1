"""``mlflow-sso serve`` at its end: nothing is lost of what has come, and of what still comes for a while."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from request_stream import requests_stream
from serving import API, Serving, Site, make_run, table_locked, wait_until_blocked
from waiting import wait_for

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SEARCH = f"{API}/experiments/search?max_results=5"
TRAFFIC_SECONDS = 4


def test_worker_ends_with_killed_parent(site: Site) -> None:
    with Serving(pod=site.pod) as serving:
        serving.wait()

        serving.process.kill()

        wait_until_refused(serving)
        assert serving.process.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize("workers", [1, 2])
def test_stop_loses_no_request_in_flight(site: Site, workers: int) -> None:
    with Serving(pod=site.pod, workers=workers) as serving, serving.client("anna", site.keys["anna"]) as client:
        serving.wait()
        run = make_run(client)
        with ThreadPoolExecutor(8) as pool:
            with table_locked(site.pod, "runs"):
                answers = [pool.submit(client.get, f"{API}/runs/get?run_id={run}") for _ in range(8)]
                wait_until_blocked(site.pod, 8)
                serving.process.terminate()
                wait_until_refused(serving)
            statuses = [answer.result().status_code for answer in answers]
        code = serving.process.wait(30)

    assert statuses == [200] * 8
    assert code == 0


def test_endless_request_ends_with_grace_period(site: Site) -> None:
    with Serving(pod=site.pod, arguments=["--grace-seconds", "1"]) as serving:
        serving.wait()
        with serving.client("anna", site.keys["anna"]) as client, ThreadPoolExecutor() as pool:
            run = make_run(client)
            with table_locked(site.pod, "runs"):
                hanging = pool.submit(client.get, f"{API}/runs/get?run_id={run}")
                wait_until_blocked(site.pod, 1)
                code = serving.stop(seconds=20)

    assert code == 0
    # Whichever is first: the end of its connection, or MLflow's own error.
    assert isinstance(hanging.exception(), httpx.TransportError) or hanging.result().status_code == 500


def test_stop_while_it_still_starts_is_obeyed(site: Site) -> None:
    with Serving(pod=site.pod) as serving:
        # It answers there long before the public port does.
        serving.wait(serving.metrics_url)

        code = serving.stop(seconds=10)

    assert code == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_stop_answers_what_a_proxy_still_sends(site: Site, workers: int) -> None:
    login = "anna", site.keys["anna"]
    with Serving(pod=site.pod, workers=workers) as serving, serving.wait().client(*login) as client:
        with requests_stream(serving, login, make_run(client)) as stream:
            wait_for(lambda: stream.sent >= 20)
            serving.process.terminate()
            before = stream.sent
            time.sleep(TRAFFIC_SECONDS)
            with serving.client(*login) as late:
                told = late.get(SEARCH).headers["connection"]
        code = serving.process.wait(30)

    assert stream.sent > before + 4
    assert stream.failures == []
    # Each connection is told to go before it is closed.
    assert told == "close"
    assert code == 0


def test_requests_without_end_do_not_outlast_grace_period(site: Site) -> None:
    statuses, grace = [], ["--grace-seconds", "4"]
    with (
        Serving(pod=site.pod, arguments=grace) as serving,
        ThreadPoolExecutor(1) as pool,
        serving.wait().client("anna", site.keys["anna"]) as client,
    ):
        statuses.append(client.get(SEARCH).status_code)
        stopping = pool.submit(serving.stop)
        with pytest.raises(httpx.TransportError):
            statuses.extend(answered_until(client, stopping.done))

    assert stopping.result() == 0
    assert set(statuses) == {200}


def test_health_checks_hold_up_no_stop(site: Site) -> None:
    # The half of this would be given to requests.
    with Serving(pod=site.pod, arguments=["--grace-seconds", "600"]) as serving:
        serving.wait()
        serving.process.terminate()

        deadline = time.monotonic() + 60
        while serving.process.poll() is None and time.monotonic() < deadline:
            serving.answers()
            time.sleep(0.02)

        assert serving.process.poll() == 0


def answered_until(client: httpx.Client, done: Callable[[], bool]) -> Iterator[int]:
    """Status codes of requests one after the other, each by a connection of its own, until ``done``."""
    while not done():
        yield client.get(SEARCH, headers={"Connection": "close"}).status_code


def wait_until_refused(serving: Serving) -> None:
    """Wait until the server takes no new connection."""
    while serving.answers():
        time.sleep(0.02)
