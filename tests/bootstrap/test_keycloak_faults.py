"""Whatever fails on the way to Keycloak, the next run ends right, and no secret has changed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fault_proxy import (
    Fault,
    FaultProxy,
    answers,
    calls_before,
    half_closed,
    lost,
    refused,
    silent,
    too_slow,
)
from sso import SECRETS, administrator, apply, client, context, end_sessions, lines, operator, plan

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak
from mlflow_bootstrap.errors import BootstrapError, RefusedError, UnreachableError
from mlflow_bootstrap.keycloak import existing_client_secret

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]

WRITES = ["client-scopes", "groups", "clients"]
TRANSIENT: list[tuple[str, Fault]] = [
    ("429", answers(429)),
    ("500", answers(500)),
    ("503", answers(503)),
    ("401", answers(401)),
    ("refused", refused()),
    # As for a token that has expired meanwhile: the bootstrap logs in again.
    ("lost", lost()),
    ("half-closed", half_closed()),
]


@pytest.fixture(scope="module")
def way(keycloak_server: Keycloak) -> Iterator[FaultProxy]:
    """The way to the server."""
    with FaultProxy(keycloak_server.url) as proxy:
        yield proxy


@pytest.fixture
def proxy(way: FaultProxy) -> FaultProxy:
    """The same, without faults."""
    way.clear()
    return way


@pytest.fixture(scope="module")
def applied(keycloak_server: Keycloak, keycloak_settings: SettingsOf, way: FaultProxy) -> Settings:
    """An environment that is as it should be."""
    way.clear()
    settings = keycloak_settings(url=way.url)
    apply(context(keycloak_server, settings))
    return settings


@pytest.fixture
def settings(keycloak_settings: SettingsOf, proxy: FaultProxy) -> Settings:
    """An environment of which nothing exists, behind the proxy."""
    return keycloak_settings(url=proxy.url)


def _right(server: Keycloak, settings: Settings) -> bool:
    """Whether the next run has nothing to say, and the clients have the secrets of the store."""
    login = settings.authentication
    admin = administrator(server, login.realm)
    found = [client(admin, str(name))["secret"] for name in (login.client_id, login.machine_client)]
    kept = [SECRETS[entry]["client_secret"] for entry in ("oidc", "machines")]
    return (lines(plan(context(server, settings))), found) == ([], kept)


def _patience(settings: Settings, *, seconds: float) -> Settings:
    calls = settings.bootstrap.model_copy(update={"read_timeout_seconds": seconds})
    return settings.model_copy(update={"bootstrap": calls})


@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("fault", [fault for _, fault in TRANSIENT], ids=[name for name, _ in TRANSIENT])
def test_bad_answer_to_write_is_retried(
    keycloak_server: Keycloak, settings: Settings, proxy: FaultProxy, fault: Fault, what: str
) -> None:
    proxy.spoil(fault, when=f"POST /admin/realms/platform%20team/{what}")

    done = apply(context(keycloak_server, settings))

    assert done.failures == ()
    assert _right(keycloak_server, settings)


# The first is the login, which has a test of its own; a whole plan takes eleven.
@pytest.mark.parametrize("nth", [2, 5, 9, 11])
@pytest.mark.parametrize("fault", [fault for _, fault in TRANSIENT], ids=[name for name, _ in TRANSIENT])
def test_bad_answer_to_read_is_retried(
    keycloak_server: Keycloak, applied: Settings, proxy: FaultProxy, fault: Fault, nth: int
) -> None:
    proxy.spoil(fault, nth=nth)

    verified = plan(context(keycloak_server, applied))

    assert lines(verified) == []


@pytest.mark.parametrize("fault", [answers(503), refused(), lost(), half_closed()])
def test_bad_answer_to_login_is_retried(
    keycloak_server: Keycloak, applied: Settings, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.spoil(fault)

    verified = plan(context(keycloak_server, applied))

    assert lines(verified) == []


@pytest.mark.parametrize("what", [*WRITES, "users"])
@pytest.mark.parametrize("status", [403, 409, 500, 400])
def test_lasting_bad_answer_fails_in_one_line(
    keycloak_server: Keycloak, settings: Settings, proxy: FaultProxy, status: int, what: str
) -> None:
    method = "PUT" if what == "users" else "POST"
    proxy.spoil(
        answers(status, '{"errorMessage": "not today"}'),
        when=f"{method} /admin/realms/platform%20team/{what}",
        times=50,
    )
    done = apply(context(keycloak_server, settings))
    proxy.clear()

    again = apply(context(keycloak_server, settings))

    assert done.failures != ()
    assert all("\n" not in str(failure) for failure in done.failures)
    assert again.failures == ()
    assert _right(keycloak_server, settings)


@pytest.mark.parametrize("fault", [silent, too_slow], ids=lambda fault: fault.__name__)
def test_answer_that_never_comes_is_asked_for_again(
    keycloak_server: Keycloak, settings: Settings, proxy: FaultProxy, fault: Callable[[], Fault]
) -> None:
    impatient = _patience(settings, seconds=5)
    proxy.spoil(fault(), when="POST /admin/realms/platform%20team/groups")

    done = apply(context(keycloak_server, impatient))

    assert done.failures == ()
    assert _right(keycloak_server, settings)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(answers(503), UnreachableError), (refused(), UnreachableError), (answers(401), RefusedError)],
    ids=["503", "refused", "401"],
)
def test_lasting_bad_login_exits_3(
    keycloak_server: Keycloak, settings: Settings, proxy: FaultProxy, fault: Fault, kind: type[BootstrapError]
) -> None:
    proxy.spoil(fault, times=50)

    with pytest.raises(kind) as caught:
        apply(context(keycloak_server, settings))

    assert caught.value.exit_code == 3


def test_server_that_goes_away_costs_its_attempts_once(
    keycloak_server: Keycloak, applied: Settings, proxy: FaultProxy
) -> None:
    proxy.spoil(refused(), nth=4, times=50)

    verified = plan(context(keycloak_server, applied))

    assert {type(failure.error) for failure in verified.failures} == {UnreachableError}
    # Three good answers, then the attempts of one request; nothing after it is tried.
    assert len(proxy.requests) == 3 + applied.bootstrap.attempts


@pytest.mark.parametrize("nth", [3, 9, 15, 21])
def test_tokens_that_expire_in_long_run_are_renewed(
    keycloak_server: Keycloak, settings: Settings, proxy: FaultProxy, nth: int
) -> None:
    login = operator(keycloak_server, settings.authentication.realm, "manage-clients", "manage-users")
    proxy.spoil(calls_before(lambda: end_sessions(keycloak_server, login)), nth=nth)

    done = apply(context(keycloak_server, settings, **login))

    assert done.failures == ()
    assert sum(line.endswith("/openid-connect/token") for line in proxy.requests) == 2
    assert _right(keycloak_server, settings)


def test_server_restart_during_run_is_survived(
    keycloak_server: Keycloak, settings: Settings, proxy: FaultProxy
) -> None:
    # A Keycloak takes minutes to come back on a loaded machine.
    patient = _patience(settings, seconds=300)
    proxy.spoil(calls_before(keycloak_server.restart), when="POST /admin/realms/platform%20team/clients")

    done = apply(context(keycloak_server, patient))

    assert done.failures == ()
    assert _right(keycloak_server, settings)


def test_ten_times_two_applies_at_once_end_right(keycloak_server: Keycloak, keycloak_settings: SettingsOf) -> None:
    environments = [keycloak_settings() for _ in range(10)]

    with ThreadPoolExecutor(2) as threads:
        outcomes = [list(threads.map(apply, [context(keycloak_server, one) for _ in range(2)])) for one in environments]

    assert [lines(outcome) for pair in outcomes for outcome in pair if outcome.failures] == []
    assert all(_right(keycloak_server, one) for one in environments)


@pytest.mark.parametrize(
    "name",
    ['say "hello"', "it's 100%", "ünï cødé 中文", "a+b&c=d;e", "back\\slash", "<b>?#", "%2F", "{{ name }} ${HOME}"],
)
def test_odd_group_names_are_created_once(keycloak_server: Keycloak, keycloak_settings: SettingsOf, name: str) -> None:
    settings = keycloak_settings(user_group=name)

    done = apply(context(keycloak_server, settings))

    assert done.failures == ()
    assert _right(keycloak_server, settings)


def test_secret_of_client_is_found_after_lost_answer(
    keycloak_server: Keycloak, applied: Settings, proxy: FaultProxy
) -> None:
    proxy.spoil(lost(), when="GET /admin/realms/platform%20team/clients")

    found = existing_client_secret(context(keycloak_server, applied), client_id=applied.authentication.client_id)

    assert found is not None
    assert found.get_secret_value() == SECRETS["oidc"]["client_secret"]
