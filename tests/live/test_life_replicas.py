"""Two pods behind the door: one login for both, and a rolling restart that nobody notices."""

from collections.abc import Iterator

import httpx
import pytest
from stream import Stream
from visitor import Visitor
from worker import Worker

from live.cluster import Pod
from live.system import System
from live.users import User

pytestmark = pytest.mark.servers

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=5"


@pytest.fixture
def visitor(replicated: System) -> Iterator[Visitor]:
    """The system's own user in a browser, logged in."""
    with Visitor(system=replicated) as visitor:
        visitor.log_in(replicated.users["user"])
        yield visitor


def _past_the_door(pod: Pod, visitor: Visitor) -> httpx.Response:
    """The browser's request at one pod, as the door would pass it on."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.client.cookies.jar if cookie.path == "/")
    host = visitor.system.settings.ingress.authority
    headers = {"Host": host, "Cookie": cookies, "X-Forwarded-Proto": "https", "X-Forwarded-Host": host}
    (port,) = [outside for inside, outside in pod.ports.items() if inside == 5000]
    return httpx.get(f"http://127.0.0.1:{port}{SEARCH}", headers=headers, timeout=60)


def test_a_login_holds_on_both_pods(replicated: System, visitor: Visitor) -> None:
    pods = replicated.cluster.deployment.ready_pods

    answers = [_past_the_door(pod, visitor) for pod in pods]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_a_rolling_restart_loses_no_request_and_logs_nobody_out(
    replicated: System, visitor: Visitor, new_user: User
) -> None:
    before = replicated.cluster.deployment.pods[:]
    with Worker.hired(replicated, new_user) as worker:
        with Stream(worker.log, least=2000) as stream:
            replicated.cluster.deployment.roll()

        steps = worker.steps()

    assert stream.failures == []
    assert steps == set(range(1, stream.sent + 1))
    assert not set(map(id, before)) & set(map(id, replicated.cluster.deployment.pods))
    assert [pod.name for pod in before if pod.killed] == []
    assert visitor.client.get(SEARCH).status_code == 200
