"""Requests to an object store: login, time limits, attempts, and errors in the reader's words."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import InvalidResponseError, MinioAdminException, MinioException, S3Error, ServerError
from pydantic import SecretStr

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.errors import BootstrapError, RefusedError, UnreachableError, UsageError
from mlflow_bootstrap.retry import TRANSIENT_STATUS, retrying

T = TypeVar("T")

NO_SUCH_POLICY = frozenset({"XMinioAdminNoSuchPolicy"})
WRONG_KEYS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch"})
"""S3's error codes for an unknown login; every other code answers a known one."""
UNKNOWN_REQUEST = "NotImplemented"
"""S3's error code for a request that the store does not have, whoever asks."""

_FAULTS = (MinioException, MinioAdminException, urllib3.exceptions.HTTPError)


@dataclass(frozen=True, slots=True)
class Keys:
    """A login of S3."""

    access: str
    secret: SecretStr
    session: SecretStr | None = None

    def provider(self) -> StaticProvider:
        """What the client signs with."""
        session = self.session.get_secret_value() if self.session else None
        return StaticProvider(self.access, self.secret.get_secret_value(), session)


@dataclass(frozen=True)
class ObjectStore:
    """The administrator's view of the object store; opens nothing before the first request."""

    settings: Settings
    keys: Keys
    ca_file: str | None = None
    policies: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    """The newest documents of policies that were read, by name, so that three resources ask once."""

    @classmethod
    def of(cls, context: Context) -> "ObjectStore":
        """The store of the environment.

        Raises:
            UsageError: the login is not given, or the CA file is not there.
        """
        settings, credentials = context.settings, context.credentials
        if settings.artifacts.kind == "minio":
            return cls(settings, _minio_keys(credentials), _ca_file(credentials, "MINIO_CACERT"))
        return cls(settings, _s3_keys(context), _ca_file(credentials, "AWS_CA_BUNDLE"))

    @property
    def url(self) -> str:
        """Address of the S3 API, as seen from here."""
        artifacts = self.settings.artifacts
        aws = f"https://s3.{artifacts.region}.amazonaws.com"
        return (self.settings.bootstrap.s3_endpoint or artifacts.endpoint or aws).rstrip("/")

    @cached_property
    def s3(self) -> Minio:
        """S3 as the administrator."""
        return self.s3_as(self.keys)

    def s3_as(self, keys: Keys) -> Minio:
        """S3 with other keys."""
        client = Minio(
            self._host,
            credentials=keys.provider(),
            secure=self._secure,
            region=self.settings.artifacts.region,
            http_client=self._pool(),
        )
        addressing = self.settings.artifacts.addressing
        # "auto" is minio's own choice: by host name at AWS, by path elsewhere.
        if addressing == "virtual":
            client.enable_virtual_style_endpoint()  # type: ignore[no-untyped-call]
        elif addressing == "path":
            client.disable_virtual_style_endpoint()  # type: ignore[no-untyped-call]
        return client

    @cached_property
    def admin(self) -> MinioAdmin:
        """MinIO's admin API."""
        return MinioAdmin(
            endpoint=self._host, credentials=self.keys.provider(), secure=self._secure, http_client=self._pool()
        )

    @property
    def _secure(self) -> bool:
        return self.url.startswith("https:")

    @property
    def _host(self) -> str:
        address = urlsplit(self.url)
        if address.path or address.query:
            raise UsageError(f"{self.url} has a path", remedy="an S3 endpoint is only scheme, host and port")
        return address.netloc

    def _pool(self) -> urllib3.PoolManager:
        bootstrap = self.settings.bootstrap
        timeout = urllib3.Timeout(connect=bootstrap.connect_timeout_seconds, read=bootstrap.read_timeout_seconds)
        # Attempts are counted in `call_as`, and nowhere else.
        return urllib3.PoolManager(timeout=timeout, retries=False, ca_certs=self.ca_file)

    def call(self, what: str, request: Callable[[], T], *, absent: frozenset[str] = frozenset()) -> T | None:
        """The answer to ``request``; None if the store answers with a code of ``absent``.

        Raises:
            UnreachableError: no answer, or its own fault to the last attempt.
            RefusedError: it knows the login and does not do it, or does not know the login.
        """
        return self.call_as(f"the keys of {self._variables}", what, request, absent=absent)

    def policy(self, name: str) -> dict[str, Any] | None:
        """The document of a policy of MinIO, asked for once until it is written; None if there is none."""
        if name not in self.policies:
            self.policies[name] = self.call(
                f"minio/policy/{name}", lambda: dict(json.loads(self.admin.policy_info(name))), absent=NO_SUCH_POLICY
            )
        return self.policies[name]

    def set_policy(self, name: str, document: Mapping[str, Any]) -> None:
        """Create or replace a policy."""
        # Before the request: a write that fails may have been done.
        self.policies.pop(name, None)
        self.call(f"minio/policy/{name}", lambda: self.admin.policy_add(name, policy=dict(document)))

    def call_as(
        self, whose: str, what: str, request: Callable[[], T], *, absent: frozenset[str] = frozenset()
    ) -> T | None:
        """The same where ``whose`` login it is differs."""
        try:
            return retrying(self.settings.bootstrap, transient=_transient)(request)
        except _FAULTS as error:
            if code(error) in absent:
                return None
            raise self._translated(whose, what, error) from None
        # minio and its XML parser raise these if an answer is not what they expect, as a proxy's page.
        except (ValueError, TypeError, KeyError, ParseError):
            raise UnreachableError(
                f"what answers at {self.url} for {what} is not S3",
                remedy="check bootstrap.s3_endpoint, and whether a login or a proxy stands before it",
            ) from None

    def _translated(self, whose: str, what: str, error: Exception) -> BootstrapError:
        answer = code(error) or (f"status {status(error)}" if status(error) else type(error).__name__)
        # Told apart from a lacking right, since the remedy is another.
        if answer in WRONG_KEYS:
            return RefusedError(f"{self.url} does not know {whose} ({answer})", remedy="check them")
        if answer == UNKNOWN_REQUEST:
            return RefusedError(
                f"{self.url} has no request for {what} ({answer})",
                remedy="this store lacks it; remove the setting that asks for it (docs/artifact-stores.md)",
            )
        if status(error) and not _transient(error):
            return RefusedError(
                f"{self.url} refuses {what} to {whose} ({answer})",
                remedy="check the login and its rights; docs/bootstrap.md lists those that suffice",
            )
        return UnreachableError(
            f"{self.url} answers with an error of its own for {what} ({answer})"
            if status(error)
            else f"cannot reach {self.url} ({answer})",
            remedy=f"check bootstrap.s3_endpoint and {self._authority}, or open a tunnel",
        )

    @property
    def _variables(self) -> str:
        minio = self.settings.artifacts.kind == "minio"
        return "MINIO_ADMIN_USER and MINIO_ADMIN_PASSWORD" if minio else "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

    @property
    def _authority(self) -> str:
        return "MINIO_CACERT" if self.settings.artifacts.kind == "minio" else "AWS_CA_BUNDLE"


def _minio_keys(credentials: Credentials) -> Keys:
    user = credentials.required("MINIO_ADMIN_USER", purpose="MinIO administrator's access key").get_secret_value()
    return Keys(user, credentials.required("MINIO_ADMIN_PASSWORD", purpose=f"secret key of {user}"))


def _s3_keys(context: Context) -> Keys:
    credentials = context.credentials
    access, session = credentials.given("AWS_ACCESS_KEY_ID"), credentials.given("AWS_SESSION_TOKEN")
    if access is None:
        stored = stored_keys(context)
        if stored:
            return stored
        access = credentials.required("AWS_ACCESS_KEY_ID", purpose="access key that may create the bucket")
    user = access.get_secret_value()
    return Keys(user, credentials.required("AWS_SECRET_ACCESS_KEY", purpose=f"secret key of {user}"), session)


def stored_keys(context: Context) -> Keys | None:
    """MLflow's own keys of an S3 that is not ours, from the store, or as the operator hands them over to it."""
    if context.settings.artifacts.credentials != "keys":
        return None
    values, credentials = context.values, context.credentials
    access = values.value("s3", "accesskey") or credentials.given("MLFLOW_S3_ACCESSKEY")
    secret = values.value("s3", "secretkey") or credentials.given("MLFLOW_S3_SECRETKEY")
    return Keys(access.get_secret_value(), secret) if access and secret else None


def _ca_file(credentials: Credentials, variable: str) -> str | None:
    path = credentials.environ.get(variable)
    if path and not Path(path).is_file():
        raise UsageError(f"{variable} names {path}, which is no file", remedy="name a file of PEM certificates")
    return path or None


def code(error: BaseException) -> str:
    """What the store calls an error, such as ``NoSuchBucket``; empty if it does not say."""
    if isinstance(error, S3Error):
        return error.code or ""
    if isinstance(error, MinioAdminException):
        try:
            return str(json.loads(error._body)["Code"])
        except (ValueError, KeyError, TypeError):
            return ""
    return ""


def status(error: BaseException) -> int:
    """The HTTP status of the answer; 0 if there was none."""
    match error:
        case S3Error():
            return int(error.response.status)
        case MinioAdminException() | InvalidResponseError():
            return int(error._code)
        case ServerError():
            return int(error.status_code)
    return 0


def _transient(error: BaseException) -> bool:
    return isinstance(error, urllib3.exceptions.HTTPError) or status(error) in TRANSIENT_STATUS
