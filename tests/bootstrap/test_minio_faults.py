"""MinIO that fails in the middle, two runs at once, runs that are killed, and administrators with few rights."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import pytest
from fault_proxy import Fault, FaultProxy, answers, calls, calls_before, half_closed, lost, refused, silent, too_slow
from objects import SECRET, admin, apply, client, context, plan, signs
from objects import silent as unheard

from cdk8s_mlflow.settings import Settings
from live.servers import Minio
from live.servers.process import free_port
from mlflow_bootstrap import engine, minio
from mlflow_bootstrap.errors import RefusedError, UnreachableError, UsageError

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
REQUESTS = 16
"""What an apply on an empty server sends: reads before and after each write, and the proof of the key."""
FAULTS = {
    "429": answers(429),
    "500": answers(500),
    "503 without JSON": answers(503, "<html>busy</html>"),
    "refused": refused(),
    "lost": lost(),
    "half-closed": half_closed(),
}


@pytest.fixture
def proxy(minio_server: Minio) -> Iterator[FaultProxy]:
    """What stands between the bootstrap and the session's MinIO."""
    with FaultProxy(minio_server.url) as proxy:
        yield proxy


@pytest.fixture
def ours(settings_of: SettingsOf, proxy: FaultProxy) -> Settings:
    """Settings that point at the proxy."""
    return settings_of(bootstrap={"s3_endpoint": proxy.url, "read_timeout_seconds": 30})


def _hasty(settings: Settings, seconds: float) -> Settings:
    hasty = settings.bootstrap.model_copy(update={"read_timeout_seconds": seconds})
    return settings.model_copy(update={"bootstrap": hasty})


def test_second_apply_sends_four_reads_and_no_write(minio_server: Minio, ours: Settings, proxy: FaultProxy) -> None:
    first = apply(context(minio_server, ours))
    sent = len(proxy.requests)
    proxy.clear()

    again = apply(context(minio_server, ours))

    assert (first.failures, again.pending) == ((), ())
    assert sent == REQUESTS
    assert proxy.writes == []
    assert len(proxy.requests) == 4


@pytest.mark.parametrize("fault", FAULTS)
def test_every_request_may_fail_once(minio_server: Minio, ours: Settings, proxy: FaultProxy, fault: str) -> None:
    # Every second one, so that each request fails once and its repetition passes.
    for number in range(1, 2 * REQUESTS, 2):
        proxy.spoil(FAULTS[fault], nth=number)

    done = apply(context(minio_server, ours))
    proxy.clear()

    assert done.failures == ()
    assert plan(context(minio_server, ours)).pending == ()


@pytest.mark.parametrize("fault", [silent, too_slow], ids=["silent", "too slow"])
def test_every_write_may_stay_unanswered_once(
    minio_server: Minio, ours: Settings, proxy: FaultProxy, fault: Callable[[], Fault]
) -> None:
    for when in ("PUT /mlflow", "PUT /minio/admin/v3/add-canned", "PUT /minio/admin/v3/add-user", "POST /minio/admin"):
        proxy.spoil(fault(), when=when)

    done = apply(context(minio_server, _hasty(ours, seconds=3)))

    assert done.failures == ()
    assert plan(context(minio_server, ours)).pending == ()


@pytest.mark.parametrize("fault", ["500", "refused", "half-closed"])
def test_lasting_fault_ends_run_and_next_continues(
    minio_server: Minio, ours: Settings, proxy: FaultProxy, fault: str
) -> None:
    proxy.spoil(FAULTS[fault], when="PUT /minio/admin/v3/add-canned", nth=2, times=3)

    failed = apply(context(minio_server, ours))

    # The bucket needs no policy; the user does, so it is not attempted.
    assert signs(failed)[0] == f"+ minio/bucket/{ours.artifacts.bucket}"
    assert [type(failure.error) for failure in failed.failures] == [UnreachableError]
    assert apply(context(minio_server, ours)).failures == ()
    assert plan(context(minio_server, ours)).pending == ()


@pytest.mark.parametrize("status", [401, 403])
def test_refusal_is_not_retried(minio_server: Minio, ours: Settings, proxy: FaultProxy, status: int) -> None:
    proxy.spoil(answers(status), when="POST /minio/admin")

    refused = apply(context(minio_server, ours))

    assert [type(failure.error) for failure in refused.failures] == [RefusedError]
    assert f"refuses minio/user/{ours.artifacts.user} to the keys of MINIO_ADMIN_USER" in signs(refused)[-1]
    assert sum(line.startswith("POST /minio/admin") for line in proxy.requests) == 1
    assert apply(context(minio_server, ours)).failures == ()


@pytest.mark.parametrize("last", range(1, REQUESTS + 1))
def test_run_killed_after_any_request_can_continue(
    minio_server: Minio, ours: Settings, proxy: FaultProxy, last: int
) -> None:
    process = get_context("fork").Process(target=apply, args=(context(minio_server, ours),))
    proxy.spoil(calls(lambda: os.kill(process.pid or 0, signal.SIGKILL)), nth=last)
    process.start()
    process.join()
    proxy.clear()

    done, after = apply(context(minio_server, ours)), plan(context(minio_server, ours))

    assert process.exitcode == -signal.SIGKILL
    assert (done.failures, after.pending) == ((), ())


def test_concurrent_runs_end_in_same_state(minio_server: Minio, settings_of: SettingsOf) -> None:
    for _ in range(10):
        ours = settings_of(bootstrap={"s3_endpoint": minio_server.url})

        with ThreadPoolExecutor() as threads:
            outcomes = list(threads.map(apply, [context(minio_server, ours) for _ in range(2)]))

        assert [outcome.failures for outcome in outcomes] == [(), ()]
        assert plan(context(minio_server, ours)).pending == ()


def test_server_that_restarts_in_middle_is_asked_again(settings_of: SettingsOf) -> None:
    with Minio() as server, FaultProxy(server.url) as proxy:
        ours = settings_of(bootstrap={"s3_endpoint": proxy.url, "read_timeout_seconds": 120})
        proxy.spoil(calls_before(server.restart), when="PUT /minio/admin/v3/add-user")

        done = apply(context(server, ours))

        assert done.failures == ()
        assert plan(context(server, ours)).pending == ()


@pytest.mark.parametrize("status", [404, 405, 426])
def test_policies_of_others_stay_on_old_servers(
    minio_server: Minio, ours: Settings, proxy: FaultProxy, status: int
) -> None:
    user, boss = ours.artifacts.user, admin(minio_server)
    boss.user_add(user, SECRET)
    boss.attach_policy(["readonly"], user=user)
    proxy.spoil(answers(status), when="POST /minio/admin/v3/idp/builtin/policy/attach")

    done = apply(context(minio_server, ours))

    assert done.failures == ()
    assert any("set-user-or-group-policy" in line for line in proxy.writes)
    assert set(json.loads(boss.user_info(user))["policyName"].split(",")) == {"readonly", ours.artifacts.policy}


def test_wrong_administrator_keys_change_nothing(minio_server: Minio, ours: Settings) -> None:
    outcome = apply(context(minio_server, ours, MINIO_ADMIN_PASSWORD="a-guess"))

    assert [type(failure.error) for failure in outcome.failures] == [RefusedError]
    assert "does not know the keys of MINIO_ADMIN_USER and MINIO_ADMIN_PASSWORD (SignatureDoesNotMatch)" in str(
        outcome.failures[0]
    )
    assert "a-guess" not in "".join(signs(outcome))


def test_unreachable_server_is_named_with_remedy(minio_server: Minio, settings_of: SettingsOf) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"

    outcome = plan(context(minio_server, settings_of(bootstrap={"s3_endpoint": nowhere})))

    assert isinstance(outcome.failures[0].error, UnreachableError)
    assert f"! minio: cannot reach {nowhere} (" in str(outcome.failures[0])


ENOUGH = Path(__file__).parents[2] / "docs" / "bootstrap-minio-policy.json"


DELETE_DATA = ("s3:DeleteBucket", "s3:ListBucketVersions", "s3:DeleteObject", "s3:DeleteObjectVersion")


def _account(server: Minio, settings: Settings, *more: str) -> dict[str, str]:
    """An administrator with the rights of the guide, and ``more`` on the bucket."""
    user, arn = f"few-{settings.artifacts.user}", f"arn:aws:s3:::{settings.artifacts.bucket}"
    rights = json.loads(ENOUGH.read_text().replace("arn:aws:s3:::mlflow", arn))
    extra = [{"Effect": "Allow", "Action": [right], "Resource": [arn, f"{arn}/*"]} for right in more]
    admin(server).policy_add(user, policy=rights | {"Statement": rights["Statement"] + extra})
    admin(server).user_add(user, SECRET)
    admin(server).attach_policy([user], user=user)
    return {"MINIO_ADMIN_USER": user, "MINIO_ADMIN_PASSWORD": SECRET}


@pytest.mark.parametrize("versioned", [False, True])
def test_documented_rights_suffice_for_apply_and_destroy(
    minio_server: Minio, settings_of: SettingsOf, versioned: bool
) -> None:
    ours = settings_of(artifacts={"versioned": versioned}, bootstrap={"s3_endpoint": minio_server.url})
    login = _account(minio_server, ours)

    made = apply(context(minio_server, ours, **login))
    admin(minio_server).detach_policy([ours.artifacts.policy], user=ours.artifacts.user)
    admin(minio_server).user_disable(ours.artifacts.user)
    repaired = apply(context(minio_server, ours, **login))
    verified = plan(context(minio_server, ours, **login))
    resources = minio.removable(context(minio_server, ours, **login), data=frozenset())
    gone = engine.destroy(resources, report=unheard)

    assert [outcome.failures for outcome in (made, repaired, verified, gone)] == [(), (), (), ()]
    assert (len(repaired.pending), verified.pending, len(gone.pending)) == (1, (), 2)


def test_four_more_rights_suffice_to_delete_bucket(minio_server: Minio, settings_of: SettingsOf) -> None:
    ours = settings_of(artifacts={"versioned": True}, bootstrap={"s3_endpoint": minio_server.url})
    login = _account(minio_server, ours, *DELETE_DATA)
    apply(context(minio_server, ours, **login))
    client(minio_server).put_object(ours.artifacts.bucket, "a/model", BytesIO(b"one"), 3)
    data = frozenset({f"minio/bucket/{ours.artifacts.bucket}"})

    resources = minio.removable(context(minio_server, ours, **login), data=data)
    gone = engine.destroy(resources, report=unheard)

    assert signs(gone)[-1] == f"- minio/bucket/{ours.artifacts.bucket}"
    assert gone.failures == ()


@pytest.fixture(scope="module")
def tls_server() -> Iterator[Minio]:
    """A MinIO with a certificate of a private authority."""
    with Minio(tls=True) as server:
        yield server


def test_private_authority_vouches_by_its_file(tls_server: Minio, settings_of: SettingsOf) -> None:
    ours = settings_of(bootstrap={"s3_endpoint": tls_server.url})

    done = apply(context(tls_server, ours, MINIO_CACERT=str(tls_server.certificate.ca)))

    assert done.failures == ()


def test_without_its_file_private_authority_is_refused(tls_server: Minio, settings_of: SettingsOf) -> None:
    outcome = plan(context(tls_server, settings_of(bootstrap={"s3_endpoint": tls_server.url})))

    assert "SSLError); check bootstrap.s3_endpoint and MINIO_CACERT" in str(outcome.failures[0])


def test_authoritys_file_that_is_not_there_is_named(tls_server: Minio, settings_of: SettingsOf) -> None:
    with pytest.raises(UsageError, match=r"MINIO_CACERT names /nowhere\.crt, which is no file"):
        plan(context(tls_server, settings_of(bootstrap={"s3_endpoint": tls_server.url}), MINIO_CACERT="/nowhere.crt"))
