"""Renewing the key of MinIO while pods use it: at no moment does a pod have a key that MinIO does not know.

The pods are played by the test, which looks at MinIO whenever the renewal waits for them: a real kubelet runs them in
tests/live/test_rotation.py.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from many import Tenant
from minio.error import S3Error
from objects import admin, client

from live.servers import Minio
from mlflow_bootstrap.engine import Change
from mlflow_bootstrap.errors import BootstrapError, RefusedError
from mlflow_bootstrap.minio.connection import WRONG_KEYS
from mlflow_bootstrap.rotation import renew, store_new
from mlflow_bootstrap.second_key import ENTRY, renew_beside

pytestmark = pytest.mark.servers

Login = tuple[str, str]
_NUMBERS = itertools.count(1)


@dataclass(kw_only=True)
class Pods:
    """What pods that follow the store would have, and which of it MinIO takes at each wait."""

    tenant: Tenant
    has: Login
    cut_off_at: int = 0
    """Wait at which the renewal is cut off; zero for none."""
    worked: list[tuple[bool, bool]] = field(default_factory=list)
    """At each wait, whether what the pods have works, and what they will have."""

    def look(self) -> None:
        """They can be asked."""

    def wait(self) -> None:
        coming = stored(self.tenant)
        self.worked.append((works(self.tenant, self.has), works(self.tenant, coming)))
        if len(self.worked) == self.cut_off_at:
            raise BootstrapError("not in use", remedy="wait")
        self.has = coming

    def renew(self) -> list[str]:
        """Renew the key; the changes as lines."""
        return [str(change) for change in self.changes()]

    def changes(self) -> Iterator[Change]:
        run = self.tenant.run()
        store = partial(store_new, run, ENTRY)
        return renew_beside(run, look=self.look, wait=self.wait, store=store, say=lambda _: None)


def stored(tenant: Tenant) -> Login:
    return tenant.secret("s3", "accesskey"), tenant.secret("s3", "secretkey")


def works(tenant: Tenant, login: Login) -> bool:
    """Whether the login may read the bucket."""
    try:
        list(client(minio_of(tenant), *login).list_objects(tenant.settings.artifacts.bucket))
    except S3Error as error:
        if error.code not in (*WRONG_KEYS, "AccessDenied"):
            raise
        return False
    return True


def minio_of(tenant: Tenant) -> Minio:
    return tenant.servers.minio


@pytest.fixture
def tenant(make: Callable[..., Tenant]) -> Tenant:
    """An environment that was applied."""
    made = make(f"key-{next(_NUMBERS)}", release="3.6.0", groups="keys")
    assert made.apply().failures == ()
    return made


def test_pods_have_a_valid_key_at_all_times(tenant: Tenant) -> None:
    before, user = stored(tenant), tenant.settings.artifacts.user
    pods = Pods(tenant=tenant, has=before)

    done = pods.renew()

    assert pods.worked == [(True, True), (True, True)]
    assert [line.split(" (")[0].split(" s")[0] for line in done][:: len(done) - 1] == [
        f"+ minio/user/{user}-rotation",
        f"- minio/user/{user}-rotation",
    ]
    assert stored(tenant)[0] == user
    assert works(tenant, stored(tenant))
    assert not works(tenant, before)
    assert tenant.plan().pending == ()
    assert not [value for value in (before[1], stored(tenant)[1]) if value in "".join([*done, *tenant.said])]


@pytest.mark.parametrize("wait", [1, 2])
def test_next_renewal_ends_one_that_was_cut_off(tenant: Tenant, wait: int) -> None:
    cut_off = Pods(tenant=tenant, has=stored(tenant), cut_off_at=wait)
    with pytest.raises(BootstrapError, match="not in use"):
        cut_off.renew()
    # Pods may have either by then.
    late, early = Pods(tenant=tenant, has=cut_off.has), stored(tenant)

    worked = works(tenant, cut_off.has), works(tenant, early)
    late.renew()

    assert worked == (True, True)
    assert late.worked
    assert set(late.worked) == {(True, True)}
    assert works(tenant, stored(tenant))
    assert not works(tenant, cut_off.has)
    assert not works(tenant, early)
    assert f"{tenant.settings.artifacts.user}-rotation" not in admin(minio_of(tenant)).user_list()
    assert tenant.plan().pending == ()


def test_apply_ends_renewal_that_was_cut_off(tenant: Tenant) -> None:
    with pytest.raises(BootstrapError, match="not in use"):
        Pods(tenant=tenant, has=stored(tenant), cut_off_at=1).renew()

    applied = tenant.apply()

    assert applied.failures == ()
    assert stored(tenant)[0] == tenant.settings.artifacts.user
    assert works(tenant, stored(tenant))
    assert tenant.plan().pending == ()


def test_destroy_takes_the_second_user_too(tenant: Tenant) -> None:
    with pytest.raises(BootstrapError, match="not in use"):
        Pods(tenant=tenant, has=stored(tenant), cut_off_at=1).renew()

    assert tenant.destroy(*tenant.data).failures == ()

    assert tenant.settings.artifacts.user not in admin(minio_of(tenant)).user_list()


def test_users_of_others_stay_as_they_are(tenant: Tenant) -> None:
    boss, name = admin(minio_of(tenant)), f"{tenant.settings.artifacts.user}-rotation"
    boss.user_add(name, "a-key-of-another-team-s")
    before = stored(tenant)

    with pytest.raises(RefusedError, match="belongs to others"):
        Pods(tenant=tenant, has=before).renew()

    assert stored(tenant) == before
    assert works(tenant, before)
    assert not works(tenant, (name, "a-key-of-another-team-s"))
    boss.user_remove(name)


def test_nothing_is_renewed_where_pods_cannot_be_asked(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    before = tenant.state()

    done = renew(tenant.run(), "s3", say=lambda _: None, wait_seconds=1)

    assert [failure.address for failure in done.failures] == ["s3"]
    assert "cannot see whether pods use it" in str(done.failures[0].error)
    assert "--no-wait does not ask" in done.failures[0].error.remedy
    assert done.changes == ()
    assert tenant.state() == before
