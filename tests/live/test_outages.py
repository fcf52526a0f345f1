"""Each backing service away for twenty seconds: what needs it says so, the rest works, and no pod restarts.

Both releases share the services, so each outage is one of both.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

import httpx
import pytest
from web_session import WebSession
from worker import Worker

from live.node.backing import BackingServices
from live.node.node import Node
from live.servers import Server
from live.users import User
from testbed.node.outage import outage
from testbed.system import System

pytestmark = pytest.mark.servers

OUTAGE_SECONDS = 20
WITHOUT_REDIS = {"3.6.0": (200, 500), "3.17.2": (500, 500)}
"""By key and by session: 3.6.0 has its sessions there, 3.17.2 what it remembers of everybody's permissions."""
SEARCH = "/api/2.0/mlflow/experiments/search?max_results=5"

Away = Callable[[Server], AbstractContextManager[None]]


@pytest.fixture
def away(node: Node, all_replicated: Mapping[str, System]) -> Away:
    """Stops a server, and empties its Service, for at least twenty seconds."""

    @contextmanager
    def stopped(server: Server) -> Iterator[None]:
        begin = time.monotonic()
        with outage(node, server):
            yield
            time.sleep(max(0, OUTAGE_SECONDS - (time.monotonic() - begin)))
        # Traefik learns of endpoints a moment later than the node's proxy.
        for system in all_replicated.values():
            node.wait("Keycloak", lambda system=system: _discovered(system))

    return stopped


def _discovered(system: System) -> bool:
    with system.client() as client:
        address = f"{system.settings.authentication.issuer}/.well-known/openid-configuration"
        return client.get(address).status_code == 200


@pytest.fixture
def workers(all_replicated: Mapping[str, System]) -> Iterator[list[Worker]]:
    """A new user of each release with a run and an artifact."""
    with ExitStack() as stack:
        created = [stack.enter_context(_worker(system)) for system in all_replicated.values()]
        assert [worker.upload("before.bin", b"before").status_code for worker in created] == [200] * len(created)
        yield created


def _worker(system: System) -> Worker:
    user = User(name=f"worker{secrets.token_hex(4)}", group=system.settings.authentication.user_group)
    system.add_users(user)
    return Worker.with_run(system, user)


@pytest.fixture
def sessions(workers: list[Worker]) -> Iterator[list[WebSession]]:
    """The same users, logged in with a browser's cookies."""
    with ExitStack() as stack:
        created = [stack.enter_context(WebSession(system=worker.system)) for worker in workers]
        for session, worker in zip(created, workers, strict=True):
            session.log_in(worker.user)
        yield created


@pytest.fixture(autouse=True)
def _nothing_restarts(all_replicated: Mapping[str, System]) -> Iterator[None]:
    before = {release: system.workloads.pods() for release, system in all_replicated.items()}
    yield
    for release, system in all_replicated.items():
        system.node.wait(release, lambda system=system: all(p.ready for p in system.workloads.pods()))
    assert {release: system.workloads.pods() for release, system in all_replicated.items()} == before


def statuses(answers: list[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_without_postgresql_calls_fail_with_a_reason(
    workers: list[Worker], backing: BackingServices, away: Away
) -> None:
    with away(backing.postgres):
        refused = [worker.log(2) for worker in workers]
        alive = [worker.client.get("/health") for worker in workers]

    recovered = [worker.log(3) for worker in workers]

    assert {(answer.status_code, answer.headers["retry-after"]) for answer in refused} == {(503, "5")}
    assert set(statuses(alive)) == {200}
    assert all("connection to server at" in worker.system.workloads.server_logs() for worker in workers)
    assert set(statuses(recovered)) == {200}


def test_without_minio_only_artifacts_fail(workers: list[Worker], backing: BackingServices, away: Away) -> None:
    with away(backing.minio):
        refused = [worker.download("before.bin") for worker in workers]
        logged = [worker.log(2) for worker in workers]

    recovered = [worker.download("before.bin") for worker in workers]

    assert all(answer.is_server_error for answer in refused)
    assert all("Could not connect to the endpoint URL" in w.system.workloads.server_logs() for w in workers)
    assert set(statuses(logged)) == {200}
    assert {answer.content for answer in recovered} == {b"before"}


def test_without_keycloak_only_a_login_fails(
    workers: list[Worker], sessions: list[WebSession], backing: BackingServices, away: Away
) -> None:
    with ExitStack() as stack:
        late = [stack.enter_context(WebSession(system=worker.system)) for worker in workers]
        with away(backing.keycloak):
            by_key = [worker.log(2) for worker in workers]
            by_session = [session.client.get(SEARCH) for session in sessions]
            for session, worker in zip(late, workers, strict=True):
                # The pod sends the browser to Keycloak, which is not there, or has not learnt yet where that is.
                with pytest.raises((httpx.ConnectError, AssertionError)):
                    session.log_in(worker.user)

        recovered = [session.log_in(worker.user) for session, worker in zip(late, workers, strict=True)]

    assert set(statuses(by_key + by_session)) == {200}
    landed = [str(page.url).partition("/oidc/ui/")[0] for page in recovered]
    assert landed == [worker.system.url for worker in workers]


def test_without_redis_what_needs_it_says_so(
    workers: list[Worker], sessions: list[WebSession], backing: BackingServices, away: Away
) -> None:
    with away(backing.redis):
        by_key = [worker.log(2) for worker in workers]
        by_session = [session.client.get(SEARCH) for session in sessions]

    recovered = [answer for w, s in zip(workers, sessions, strict=True) for answer in (w.log(3), s.client.get(SEARCH))]

    expected = [WITHOUT_REDIS[worker.system.settings.release] for worker in workers]
    assert list(zip(statuses(by_key), statuses(by_session), strict=True)) == expected
    assert all("redis.exceptions.ConnectionError" in worker.system.workloads.server_logs() for worker in workers)
    assert set(statuses(recovered)) == {200}
