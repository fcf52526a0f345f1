"""Two pods behind Traefik: one login for both, and a rolling restart that no client notices."""

from collections.abc import Iterator

import httpx
import pytest
from depth import sized
from stream import Stream
from web_session import WebSession
from worker import Worker

from live.node.network import Passage
from live.servers.process import free_port
from live.users import User
from testbed.node.workload import Pod
from testbed.system import System

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=5"


@pytest.fixture
def visitor(replicated: System) -> Iterator[WebSession]:
    """The system's own user in a browser, logged in."""
    with WebSession(system=replicated) as visitor:
        visitor.log_in(replicated.users["user"])
        yield visitor


def _past_traefik(pod: Pod, visitor: WebSession) -> httpx.Response:
    """The browser's request at one pod, as Traefik would pass it on."""
    # Keycloak's own cookies, which have the path of the realm, are not sent to MLflow.
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.client.cookies.jar if cookie.path == "/")
    host = visitor.system.settings.ingress.authority
    headers = {"Host": host, "Cookie": cookies, "X-Forwarded-Proto": "https", "X-Forwarded-Host": host}
    port = free_port()
    passage = Passage.into(visitor.system.node.init, (pod.address, 5000), port=port)
    try:
        return httpx.get(f"http://127.0.0.1:{port}{SEARCH}", headers=headers, timeout=120)
    finally:
        passage.close()


def test_a_login_holds_on_both_pods(replicated: System, visitor: WebSession) -> None:
    pods = replicated.workloads.pods()

    answers = [_past_traefik(pod, visitor) for pod in pods]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_rolling_restart_loses_no_request_or_session(replicated: System, visitor: WebSession, new_user: User) -> None:
    before = {pod.name for pod in replicated.workloads.pods()}
    with Worker.with_run(replicated, new_user) as worker:
        with Stream(worker.log, least=sized(change=500, every=2000)) as stream:
            replicated.workloads.restart()

        steps = worker.steps()

    assert stream.failures == []
    assert steps == set(range(1, stream.sent + 1))
    assert not before & {pod.name for pod in replicated.workloads.pods()}
    assert visitor.client.get(SEARCH).status_code == 200


def test_drain_loses_no_request(replicated: System, new_user: User) -> None:
    # given
    before = {pod.name for pod in replicated.workloads.pods()}
    instance = f"--pod-selector=app.kubernetes.io/instance={replicated.settings.instance}"
    # The budget lets one pod go; the eviction of the other is tried until this time has passed.
    drain = ["drain", "node", instance, "--delete-emptydir-data", "--timeout=20s"]

    # when
    with Worker.with_run(replicated, new_user) as worker:
        with Stream(worker.log, least=500) as stream:
            said = replicated.node.kubectl(*drain, check=False)
            left = {pod.name for pod in replicated.workloads.pods()} & before
            replicated.node.kubectl("uncordon", "node")
            replicated.workloads.wait_rolled_out()

        steps = worker.steps()

    # then
    assert "Cannot evict pod as it would violate the pod's disruption budget" in said
    assert len(left) == 1
    assert stream.failures == []
    assert steps == set(range(1, stream.sent + 1))
