"""Each neighbour away for twenty seconds: what needs it says so, the rest works, and all recovers without a restart."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from visitor import Visitor
from worker import Worker

from live.servers import Server
from live.system import System
from live.users import User

pytestmark = pytest.mark.servers

OUTAGE_SECONDS = 20
WITHOUT_REDIS = {"3.6.0": (200, 500), "3.17.2": (500, 500)}
"""By key and by session: 3.6.0 has its sessions there, 3.17.2 what it remembers of everybody's permissions."""
SEARCH = "/api/2.0/mlflow/experiments/search?max_results=5"


@contextmanager
def away(server: Server) -> Iterator[None]:
    """Stop the server for at least twenty seconds."""
    begin = time.monotonic()
    server.stop()
    try:
        yield
        time.sleep(max(0, OUTAGE_SECONDS - (time.monotonic() - begin)))
    finally:
        server.start()


def _logs(system: System) -> str:
    """What all pods have printed."""
    return "".join(pod.log.read_text(errors="replace") for pod in system.cluster.deployment.pods)


@pytest.fixture
def worker(replicated: System, new_user: User) -> Iterator[Worker]:
    """A new user with a run and an artifact."""
    with Worker.hired(replicated, new_user) as worker:
        assert worker.log(1).status_code == 200
        assert worker.upload("before.bin", b"before").status_code == 200
        yield worker


@pytest.fixture(autouse=True)
def _nothing_restarts(replicated: System) -> Iterator[None]:
    pods = replicated.cluster.deployment.pods[:]
    yield
    assert replicated.cluster.deployment.ready_pods == pods
    assert [pod.restarts for pod in pods] == [0, 0]


def test_without_postgresql_calls_fail_with_a_reason_and_pods_stay(replicated: System, worker: Worker) -> None:
    with away(replicated.neighbours.postgres):
        refused = worker.log(2)
        alive = worker.client.get("/health")

    recovered = worker.log(3)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert alive.status_code == 200
    assert "connection to server at" in _logs(replicated)
    assert recovered.status_code == 200


def test_without_minio_only_artifacts_fail(replicated: System, worker: Worker) -> None:
    with away(replicated.neighbours.minio):
        refused = worker.download("before.bin")
        logged = worker.log(2)

    recovered = worker.download("before.bin")

    assert refused.is_server_error
    assert "Could not connect to the endpoint URL" in _logs(replicated)
    assert logged.status_code == 200
    assert recovered.content == b"before"


def test_without_keycloak_keys_and_sessions_work_and_only_a_login_fails(replicated: System, worker: Worker) -> None:
    with Visitor(system=replicated) as visitor, Visitor(system=replicated) as late:
        visitor.log_in(worker.user)
        with away(replicated.neighbours.keycloak):
            by_key = worker.log(2)
            by_session = visitor.client.get(SEARCH)
            # The pod sends the browser to Keycloak, which is not there, or has not learnt yet where that is.
            with pytest.raises((httpx.ConnectError, AssertionError)):
                late.log_in(worker.user)

        recovered = late.log_in(worker.user)

    assert (by_key.status_code, by_session.status_code) == (200, 200)
    assert str(recovered.url).startswith(f"{replicated.url}/oidc/ui/")


def test_without_the_shared_store_what_needs_it_says_so_and_comes_back_with_it(
    replicated: System, worker: Worker
) -> None:
    with Visitor(system=replicated) as visitor:
        visitor.log_in(worker.user)
        with away(replicated.neighbours.redis):
            by_key = worker.log(2)
            by_session = visitor.client.get(SEARCH)

        recovered = (worker.log(3), visitor.client.get(SEARCH))

    assert (by_key.status_code, by_session.status_code) == WITHOUT_REDIS[replicated.settings.release]
    assert "redis.exceptions.ConnectionError" in _logs(replicated)
    assert [answer.status_code for answer in recovered] == [200, 200]
