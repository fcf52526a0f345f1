"""The proxy that the fault tests stand on, in front of a real MinIO."""

from collections.abc import Callable, Iterator

import pytest
import requests
from fault_proxy import Fault, FaultProxy, answers, calls, half_closed, lost, refused, silent, too_slow

from live.servers import Minio

pytestmark = pytest.mark.servers

HEALTH = "/minio/health/live"


@pytest.fixture
def proxy(minio_server: Minio) -> Iterator[FaultProxy]:
    with FaultProxy(minio_server.url) as proxy:
        yield proxy


def _get(proxy: FaultProxy, path: str = HEALTH, timeout: float = 30) -> int:
    return requests.get(proxy.url + path, timeout=timeout).status_code


def test_requests_pass_and_are_counted_with_query(proxy: FaultProxy) -> None:
    status = _get(proxy, HEALTH + "?a=%2Fb%20c")
    refusal = requests.put(proxy.url + "/bucket/a%2Bb", data=b"body", timeout=30)

    # MinIO refuses what is not signed; here only counts that the path has arrived as it was sent.
    assert (status, refusal.status_code) == (200, 403)
    assert proxy.requests == [f"GET {HEALTH}?a=%2Fb%20c", "PUT /bucket/a%2Bb"]
    assert proxy.writes == ["PUT /bucket/a%2Bb"]


def test_only_nth_request_is_answered_by_proxy(proxy: FaultProxy) -> None:
    proxy.spoil(answers(503), nth=2)

    seen = [_get(proxy), _get(proxy), _get(proxy)]

    assert seen == [200, 503, 200]


@pytest.mark.parametrize("fault", [refused, lost, half_closed, silent, too_slow], ids=lambda fault: fault.__name__)
def test_spoiled_answer_fails_once(proxy: FaultProxy, fault: Callable[[], Fault]) -> None:
    proxy.spoil(fault(), when="GET /minio")

    with pytest.raises(requests.RequestException):
        _get(proxy, timeout=1)

    assert _get(proxy) == 200


def test_action_runs_before_answer_is_lost(proxy: FaultProxy) -> None:
    happened: list[int] = []
    proxy.spoil(calls(lambda: happened.append(len(proxy.requests))))

    with pytest.raises(requests.ConnectionError):
        _get(proxy)

    assert happened == [1]
