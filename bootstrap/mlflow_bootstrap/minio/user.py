"""The user that MLflow logs in as, with the policy attached."""

import json
from dataclasses import dataclass
from typing import Any

from minio.error import MinioAdminException, S3Error

from cdk8s_mlflow.settings.artifacts import ArtifactSettings
from mlflow_bootstrap.difference import Secrecy, State
from mlflow_bootstrap.minio.client import WRONG_KEYS, Keys, ObjectStore, code, status
from mlflow_bootstrap.values import SecretValues, required

_ABSENT = frozenset({"XMinioAdminNoSuchUser"})
_ATTACHED_ALREADY = frozenset({"XMinioAdminPolicyChangeAlreadyApplied"})
_NO_SUCH_CALL = frozenset({404, 405, 426, 501})
"""How servers before 2023 answer a request to attach a policy: they know only how to set the whole list."""
NOWHERE = "bootstrap-looks-here/"
"""Prefix that the proof of a login lists: nothing is there, so the answer is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of MinIO, enabled, with the secret key of the store and our policy; others' policies stay."""

    store: ObjectStore
    settings: ArtifactSettings
    values: SecretValues
    needs: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``minio/user/NAME``."""
        return f"minio/user/{self.settings.user}"

    @property
    def desired(self) -> State:
        """That it is enabled, logs in with the store's secret key, and has the policy."""
        return {"status": "enabled", "secret_key": Secrecy.RIGHT, "policy": True}

    def read(self) -> State | None:
        """The same as MinIO has it; the key is proved by a signed request."""
        found = self._found()
        if found is None:
            return None
        policies = self._policies(found)
        return {
            "status": found.get("status"),
            "secret_key": Secrecy.RIGHT if self._logs_in() else Secrecy.DIFFERS,
            "policy": self.settings.policy in policies,
        }

    def _found(self) -> dict[str, Any] | None:
        answer = self.store.call(self.address, lambda: self.store.admin.user_info(self.settings.user), absent=_ABSENT)
        return None if answer is None else dict(json.loads(answer))

    @staticmethod
    def _policies(found: dict[str, Any]) -> list[str]:
        return [name for name in str(found.get("policyName") or "").split(",") if name]

    def _logs_in(self) -> bool:
        secret = self.values.value("s3", "secretkey")
        if secret is None:
            return False
        client = self.store.s3_as(Keys(self.settings.user, secret))
        return bool(self.store.call(f"a login as {self.settings.user}", lambda: _known(client, self.settings.bucket)))

    def create(self) -> None:
        """Make it and attach the policy."""
        self.update({})

    def update(self, current: State) -> None:
        """Set the key and attach the policy, each only where that is needed."""
        if current.get("secret_key") != Secrecy.RIGHT or current.get("status") != "enabled":
            secret = required(self.values, "s3", "secretkey").get_secret_value()
            self.store.call(self.address, lambda: self.store.admin.user_add(self.settings.user, secret))
        if not current.get("policy"):
            self.store.call(self.address, self._attach, absent=_ATTACHED_ALREADY)

    def _attach(self) -> None:
        admin, user, policy = self.store.admin, self.settings.user, self.settings.policy
        try:
            admin.attach_policy([policy], user=user)
        except MinioAdminException as error:
            if status(error) not in _NO_SUCH_CALL or code(error) in _ABSENT:
                raise
            # The older call replaces the list, so those of others go with it.
            others = self._policies(json.loads(admin.user_info(user)))
            admin.policy_set(",".join([*others, policy]), user=user)

    def delete(self) -> None:
        """Take it away."""
        self.store.call(self.address, lambda: self.store.admin.user_remove(self.settings.user), absent=_ABSENT)


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
