"""The user that MLflow logs in as, with the policy attached."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from minio.error import MinioAdminException, S3Error

from cdk8s_mlflow.settings.artifacts import ArtifactSettings
from mlflow_bootstrap.difference import Secrecy, State
from mlflow_bootstrap.minio.connection import WRONG_KEYS, Keys, ObjectStore, code, status
from mlflow_bootstrap.minio.policy import USER, Policy
from mlflow_bootstrap.ownership import OWNER, Owner, Standing, owner_of
from mlflow_bootstrap.values import FixedValues, SecretValues, required

_ABSENT = frozenset({"XMinioAdminNoSuchUser"})
_ATTACHED_ALREADY = frozenset({"XMinioAdminPolicyChangeAlreadyApplied"})
_NO_SUCH_CALL = frozenset({404, 405, 426, 501})
"""How servers before 2023 answer a request to attach a policy: they know only how to set the whole list."""
NOWHERE = "bootstrap-looks-here/"
"""Prefix that the proof of a login lists: it has no objects, so the answer is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of MinIO, enabled, with the secret key of the store and our policy; others' policies stay."""

    store: ObjectStore
    settings: ArtifactSettings
    values: SecretValues
    policy: Policy
    name: str
    named_by_bucket: Callable[[], bool] = lambda: False
    """Whether our bucket names it as ours."""
    depends_on: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``minio/user/NAME``."""
        return f"minio/user/{self.name}"

    @property
    def desired(self) -> State:
        """That it is enabled, logs in with the store's secret key, and has the policy."""
        return {"status": "enabled", "secret_key": Secrecy.RIGHT, "policy": True}

    def read(self) -> State | None:
        """The same as MinIO has it; the key is proved by a signed request."""
        found = self._found()
        if found is None:
            return None
        logs_in = self._logs_in()
        state = {
            "status": found.get("status"),
            "secret_key": Secrecy.RIGHT if logs_in else Secrecy.DIFFERS,
            "policy": self.settings.policy in self._policies(found),
        }
        return {**state, OWNER: self._owner(state)}

    def _owner(self, state: State) -> Owner:
        # MinIO's users bear no mark, but none except ours has our key or our policy.
        proved = state["secret_key"] is Secrecy.RIGHT or (state["policy"] and self.policy.is_marked)
        kept = self.policy.kept.get(USER) if self.policy.is_marked else None
        instance = self.store.settings.instance
        mark = instance if proved or kept or self.named_by_bucket() else None
        earlier = state["policy"] and self.policy.is_of_earlier_release
        return owner_of(mark, instance, setting="artifacts.user", earlier=earlier, adopted=isinstance(kept, Mapping))

    def adopt(self, current: State) -> None:
        """Keep what it was like beside the policy's mark; its key and our policy are what makes it ours."""
        if current[OWNER].standing is not Standing.EARLIER:
            self.policy.keep(**{USER: {name: current[name] for name in ("status", "policy")}})

    def release(self, current: State) -> None:
        """Detach our policy, and disable it if it was; its former key is known to no one here."""
        found = self.policy.kept[USER]
        if not found.get("policy"):
            detach = partial(self.store.admin.detach_policy, [self.settings.policy], user=self.name)
            self.store.call(self.address, detach, absent=_ATTACHED_ALREADY)
        if found.get("status") == "disabled":
            self.store.call(self.address, lambda: self.store.admin.user_disable(self.name))
        self.policy.keep(**{USER: None})

    def _found(self) -> dict[str, Any] | None:
        answer = self.store.call(self.address, lambda: self.store.admin.user_info(self.name), absent=_ABSENT)
        return None if answer is None else dict(json.loads(answer))

    @staticmethod
    def _policies(found: dict[str, Any]) -> list[str]:
        # MinIO gives the list as one text.
        return [name for name in str(found.get("policyName") or "").split(",") if name]

    def is_free_or_ours(self) -> bool:
        """Whether it does not exist, or logs in with the store's key."""
        return self._found() is None or self._logs_in()

    def has_policy(self) -> bool:
        """Whether it logs in with the store's key, and has our policy."""
        found = self._found()
        return found is not None and self.settings.policy in self._policies(found) and self._logs_in()

    def _logs_in(self) -> bool:
        secret = self.values.value("s3", "secretkey")
        if secret is None:
            return False
        client = self.store.s3_as(Keys(self.name, secret))
        return bool(self.store.call(f"a login as {self.name}", lambda: _known(client, self.settings.bucket)))

    def create(self) -> None:
        """Create it and attach the policy."""
        self.update({})

    def update(self, current: State) -> None:
        """Set the key and attach the policy, each only if that is needed."""
        # user_add sets key and status together, so either is a reason.
        if current.get("secret_key") != Secrecy.RIGHT or current.get("status") != "enabled":
            secret = required(self.values, "s3", "secretkey").get_secret_value()
            self.store.call(self.address, lambda: self.store.admin.user_add(self.name, secret))
        if not current.get("policy"):
            self.store.call(self.address, self._attach, absent=_ATTACHED_ALREADY)

    def give(self, secret: str) -> None:
        """Set ``secret`` as its key, whatever the store holds, and attach the policy; creates it if need be."""
        replace(self, values=FixedValues({"s3": {"secretkey": secret}})).update({})

    def _attach(self) -> None:
        admin, user, policy = self.store.admin, self.name, self.settings.policy
        try:
            admin.attach_policy([policy], user=user)
        except MinioAdminException as error:
            if status(error) not in _NO_SUCH_CALL or code(error) in _ABSENT:
                raise
            # The older call replaces the list, so those of others go with it.
            others = self._policies(json.loads(admin.user_info(user)))
            admin.policy_set(",".join([*others, policy]), user=user)

    def delete(self) -> None:
        """Delete it."""
        self.store.call(self.address, lambda: self.store.admin.user_remove(self.name), absent=_ABSENT)


def _known(client: Any, bucket: str) -> bool:
    try:
        next(iter(client.list_objects(bucket, prefix=NOWHERE)), None)
    except S3Error as error:
        # Whoever is told that a right or a bucket is missing has signed rightly.
        if error.code in WRONG_KEYS:
            return False
        if error.code not in ("AccessDenied", "NoSuchBucket"):
            raise
    return True
