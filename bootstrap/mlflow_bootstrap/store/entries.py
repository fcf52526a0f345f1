"""Which entries and fields the secret store holds for an environment, and where a missing value comes from."""

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import SecretStr

from cdk8s_mlflow.contract import SecretTemplate, secret_templates
from cdk8s_mlflow.releases import ServerKey
from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.errors import MissingError, UsageError

MACHINES = "machines"
"""Entry of the service-account client; no pod reads it, people and CI do."""

MINIMUM_KEPT = 32
"""Characters of a key that stays valid beside a new one."""

DIRECTORY = "directory"
"""Entry of the client that looks users up; only ``end-access`` reads it."""

NOT_GIVEN: Mapping[str, str] = MappingProxyType({})
"""No values in place of those that a rotation would choose."""

Finder = Callable[[], SecretStr | None]
"""Looks for a value that a system has already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value of an entry. A missing one is, in this order: fixed, given by the operator, found, created."""

    name: str
    variable: str
    """Environment variable by which the operator hands the value over; ``…_FILE`` works too."""
    fixed: str | None = None
    """Value that follows from the settings, or is copied from where it is made."""
    find: Finder | None = None
    create: Callable[[], str] | None = None
    rotates: bool = False
    """Whether ``rotate`` may renew it."""
    keeps_previous: bool = False
    """Whether a renewed value is followed by the one before it, which stays valid."""

    def renew(self, before: str) -> str:
        """A new value in place of ``before``; raises MissingError if none can be created here."""
        if self.create is None:
            raise self._missing()
        value, previous = self.create(), before.partition(",")[0]
        # Servers take a setting with a shorter part for one key that happens to hold a comma.
        kept = self.keeps_previous and min(map(len, before.split(","))) >= MINIMUM_KEPT
        return f"{value},{previous}" if kept else value

    def obtain(self, credentials: Credentials) -> SecretStr:
        """The value for a store that lacks it.

        Raises:
            MissingError: no one has it, and it cannot be created here.
        """
        # Found before created: a client or a role that exists keeps the value that others use.
        value = self._existing(credentials)
        if value is not None:
            return value
        if self.create is None:
            raise self._missing()
        return SecretStr(self.create())

    def check(self, credentials: Credentials) -> None:
        """Raise what :meth:`obtain` would raise; creates nothing."""
        if self._existing(credentials) is None and self.create is None:
            raise self._missing()

    def _existing(self, credentials: Credentials) -> SecretStr | None:
        if self.fixed is not None:
            return SecretStr(self.fixed)
        return credentials.given(self.variable) or (self.find() if self.find else None)

    def _missing(self) -> MissingError:
        return MissingError(
            f"{self.name} is not in the store and cannot be created here",
            remedy=f"set {self.variable}, or {self.variable}_FILE to a file that holds it",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPlan:
    """An entry of the store and all fields of it that we own."""

    name: str
    fields: tuple[Field, ...]

    @property
    def renewable(self) -> frozenset[str]:
        """Names of the fields that ``rotate`` renews."""
        return frozenset(field.name for field in self.fields if field.rotates and field.create)

    def require_renewable(self, address: str) -> frozenset[str]:
        """The same for what is stored at ``address``.

        Raises:
            UsageError: there are none.
        """
        if not self.renewable:
            raise UsageError(f"{address} has nothing that can be renewed here", remedy="renew it at its source")
        return self.renewable


def entry_plans(
    settings: Settings,
    *,
    finders: Mapping[tuple[str, str], Finder],
    copied: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> tuple[EntryPlan, ...]:
    """Every entry that this environment needs; ``finders``, and values ``copied`` as they are, by entry and field."""
    names: dict[str, list[str]] = {}
    for template in all_secret_templates(settings):
        known = names.setdefault(template.entry, [])
        known += [field for field in template.fields if field not in known]
    return tuple(
        EntryPlan(name=entry, fields=tuple(_field(settings, entry, field, finders, copied) for field in fields))
        for entry, fields in names.items()
    )


def all_secret_templates(settings: Settings) -> tuple[SecretTemplate, ...]:
    """The contract's Secrets, and the one for machines, which no pod mounts."""
    return (*secret_templates(settings), *_machine_template(settings))


def _machine_template(settings: Settings) -> tuple[SecretTemplate, ...]:
    if settings.authentication.machine_client is None:
        return ()
    data = {"OIDC_CLIENT_ID": "{{ .client_id }}", "OIDC_CLIENT_SECRET": "{{ .client_secret }}"}
    return (
        SecretTemplate(
            name="mlflow-machine-client",
            namespace=settings.namespace,
            entry=MACHINES,
            fields=("client_id", "client_secret"),
            data=data,
        ),
    )


def _field(
    settings: Settings,
    entry: str,
    name: str,
    finders: Mapping[tuple[str, str], Finder],
    copied: Mapping[tuple[str, str], str],
) -> Field:
    key = _server_key(settings, name) if entry == "server" else None
    return Field(
        name=name,
        # Derived, so that docs and messages name the same variable for every field.
        variable=f"MLFLOW_{entry}_{name}".upper(),
        fixed=_fixed(settings).get((entry, name), copied.get((entry, name))),
        find=finders.get((entry, name)),
        create=_creator(settings, entry, name, key),
        rotates=key.rotates if key else (entry, name) in _ROTATING,
        keeps_previous=key is not None and key.keeps_previous,
    )


_ROTATING = frozenset(
    {
        ("postgres", "password"),
        ("s3", "secretkey"),
        ("oidc", "client_secret"),
        (MACHINES, "client_secret"),
        (DIRECTORY, "client_secret"),
    }
)


def _fixed(settings: Settings) -> dict[tuple[str, str], str]:
    authentication, own_user = settings.authentication, settings.artifacts.kind == "minio"
    return {
        ("postgres", "username"): settings.database.role,
        ("oidc", "client_id"): authentication.client_id,
        **({("s3", "accesskey"): settings.artifacts.user} if own_user else {}),
        **({(MACHINES, "client_id"): authentication.machine_client} if authentication.machine_client else {}),
        **({(DIRECTORY, "client_id"): authentication.directory_client} if authentication.directory_client else {}),
    }


def _creator(settings: Settings, entry: str, name: str, key: ServerKey | None) -> Callable[[], str] | None:
    if key:
        # Redis is another team's, and so is its password.
        return None if key.field == "redis_password" else _fernet_key if key.form == "fernet" else new_token
    # Only MinIO's admin API takes a secret key of our choice; another S3 gives one out.
    if entry == "s3" and settings.artifacts.kind != "minio":
        return None
    return new_token if (entry, name) in _ROTATING else None


def _server_key(settings: Settings, name: str) -> ServerKey:
    return next(key for key in settings.server_keys if key.field == name)


def new_token() -> str:
    """Random text, as a password or a secret key."""
    # 40 characters, the most that MinIO takes for a secret key.
    return secrets.token_urlsafe(30)


def _fernet_key() -> str:
    # The form of cryptography's Fernet: 32 bytes, padding included.
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
