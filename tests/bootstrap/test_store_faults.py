"""A store that fails in the middle: every request may, no value is created twice, and the next run continues."""

from collections.abc import Callable

import pytest
from fault_proxy import Fault, FaultProxy, answers, calls_before, half_closed, lost, refused, silent, too_slow
from vault import data, entries, opened, unheard

from cdk8s_mlflow.settings import Settings
from live.servers import OpenBao
from mlflow_bootstrap.engine import apply
from mlflow_bootstrap.errors import UnreachableError

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
FAULTS = {
    "429": answers(429),
    "500": answers(500),
    "503": answers(503),
    "refused": refused(),
    "lost": lost(),
    "half-closed": half_closed(),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_store_creates_values_once_despite_failures(
    openbao_server: OpenBao, settings_of: SettingsOf, fault: str
) -> None:
    settings = settings_of()
    with FaultProxy(openbao_server.url) as proxy:
        for number in range(1, 24, 2):
            proxy.spoil(FAULTS[fault], nth=number)
        done = apply(entries(opened(openbao_server, settings, VAULT_ADDR=proxy.url), settings), report=unheard)

    before = {entry: data(openbao_server, settings, entry) for entry in ("postgres", "s3", "oidc", "server")}
    again = apply(entries(opened(openbao_server, settings), settings), report=unheard)
    assert (done.failures, again.pending) == ((), ())
    assert [found["metadata"]["version"] for found in before.values()] == [1, 1, 1, 1]


@pytest.mark.parametrize("fault", [silent(), too_slow()], ids=["silent", "too slow"])
def test_write_to_store_may_stay_unanswered(openbao_server: OpenBao, settings_of: SettingsOf, fault: Fault) -> None:
    settings = settings_of(bootstrap={"read_timeout_seconds": 3})
    with FaultProxy(openbao_server.url) as proxy:
        proxy.spoil(fault, when="POST /v1/secret/data")
        done = apply(entries(opened(openbao_server, settings, VAULT_ADDR=proxy.url), settings), report=unheard)

    assert done.failures == ()
    assert data(openbao_server, settings, "postgres")["metadata"]["version"] == 1


def test_lasting_fault_ends_run_and_next_continues(openbao_server: OpenBao, settings_of: SettingsOf) -> None:
    settings = settings_of()
    with FaultProxy(openbao_server.url) as proxy:
        proxy.spoil(answers(500), when="POST /v1/secret/data", nth=2, times=3)
        failed = apply(entries(opened(openbao_server, settings, VAULT_ADDR=proxy.url), settings), report=unheard)
    first = data(openbao_server, settings, "postgres")

    done = apply(entries(opened(openbao_server, settings), settings), report=unheard)

    assert isinstance(failed.failures[0].error, UnreachableError)
    assert done.failures == ()
    assert data(openbao_server, settings, "postgres") == first


def test_store_restart_between_entries_is_survived(settings_of: SettingsOf) -> None:
    with OpenBao() as server, FaultProxy(server.url) as proxy:
        settings = settings_of(bootstrap={"read_timeout_seconds": 120})
        store = opened(server, settings, VAULT_ADDR=proxy.url)
        proxy.spoil(calls_before(server.restart), when="POST /v1/secret/data", nth=2)

        done = apply(entries(store, settings), report=unheard)

        assert done.failures == ()
