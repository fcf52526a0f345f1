"""``mlflow-sso serve`` at its end: nothing is lost of what has come, and of what still comes for a while."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest
from serving import API, Serving, Site, make_run, table_locked, wait_until_blocked

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SEARCH = f"{API}/experiments/search?max_results=5"
TRAFFIC_SECONDS = 4


@dataclass
class Traffic:
    """Requests of a proxy that has not heard yet that the pod stops: by connections that it has, and by new ones."""

    server: Serving
    key: str
    ended: threading.Event = field(default_factory=threading.Event)
    statuses: list[object] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)

    def flow(self, *, keep: bool) -> None:
        with self.server.client("anna", self.key) as client:
            while not self.ended.is_set():
                try:
                    answer = client.get(SEARCH, headers={} if keep else {"Connection": "close"})
                except httpx.TransportError as error:
                    self.statuses.append(repr(error))
                    return
                self.statuses.append(answer.status_code)
                self.kept.append(answer.headers.get("connection") != "close")


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
    with Serving(pod=site.pod, workers=workers) as serving, ThreadPoolExecutor(4) as pool:
        serving.wait()
        traffic = Traffic(serving, site.keys["anna"])
        flows = [pool.submit(traffic.flow, keep=keep) for keep in (True, True, False, False)]
        while len(traffic.statuses) < 20:
            time.sleep(0.02)

        serving.process.terminate()
        before = len(traffic.statuses)
        time.sleep(TRAFFIC_SECONDS)
        traffic.ended.set()
        for flow in flows:
            flow.result()
        code = serving.process.wait(30)

    assert len(traffic.statuses) > before + 4
    assert set(traffic.statuses) == {200}
    # Each connection was told to go before it was closed.
    assert not any(traffic.kept[-4:])
    assert code == 0


def test_requests_without_end_do_not_outlast_grace_period(site: Site) -> None:
    with Serving(pod=site.pod, arguments=["--grace-seconds", "4"]) as serving, ThreadPoolExecutor(1) as pool:
        serving.wait()
        traffic = Traffic(serving, site.keys["anna"])
        flow = pool.submit(traffic.flow, keep=False)
        while not traffic.statuses:
            time.sleep(0.02)

        code = serving.stop()
        traffic.ended.set()
        flow.result()

    assert code == 0
    assert traffic.statuses.pop() != 200
    assert set(traffic.statuses) == {200}


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


def wait_until_refused(serving: Serving) -> None:
    """Wait until the server takes no new connection."""
    while serving.answers():
        time.sleep(0.02)
