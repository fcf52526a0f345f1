"""Entries in the KV version 2 engine of Vault or OpenBao, written with check-and-set."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hvac  # type: ignore[import-untyped]
import requests
from hvac import exceptions

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.errors import (
    BootstrapError,
    ConflictError,
    MissingError,
    RefusedError,
    UnreachableError,
    UsageError,
)
from mlflow_bootstrap.retry import retrying
from mlflow_bootstrap.store.entry import Entry

_MOUNTS = "sys/internal/ui/mounts"
SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

_TRANSIENT = (
    exceptions.BadGateway,
    exceptions.InternalServerError,
    exceptions.RateLimitExceeded,
    exceptions.VaultDown,
    exceptions.UnexpectedError,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


class VaultStore:
    """The entries below the prefix; logs in at the first request, and again where a login of its own has expired."""

    kind = "vault"

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        self._secrets, self._credentials = settings.secrets, credentials
        self._retrying = retrying(settings.bootstrap, transient=lambda error: isinstance(error, _TRANSIENT))
        self._is_second_version = False
        environ = credentials.environ
        self._address = environ.get("VAULT_ADDR") or settings.secrets.vault_address or ""
        if not self._address:
            raise UsageError(
                "no Vault address is configured",
                remedy="set secrets.vault_address in the environment file, or VAULT_ADDR",
            )
        self._client = hvac.Client(
            url=self._address,
            # hvac would read VAULT_TOKEN and ~/.vault-token by itself, whatever the settings say of the login.
            token="",
            verify=environ.get("VAULT_CACERT") or True,
            namespace=environ.get("VAULT_NAMESPACE"),
            timeout=(settings.bootstrap.connect_timeout_seconds, settings.bootstrap.read_timeout_seconds),
        )

    def read(self, name: str) -> Entry | None:
        """The newest version.

        Raises:
            MissingError: it was deleted, which can be undone, so nothing is created in its place.
        """
        path = self._path(name)
        found = self._call(
            name,
            lambda: self._client.secrets.kv.v2.read_secret_version(
                # A deleted version is an answer of its own here, hvac's exception looks like a missing path.
                path,
                mount_point=self._secrets.vault_mount,
                raise_on_deleted_version=False,
            ),
            absent=True,
        )
        if found is None:
            # The first version of the engine answers the same, takes what is written, and keeps it at another place.
            self._require_second_version(name)
            return None
        held = self._held(name, found)
        version = held["metadata"]["version"]
        if held["data"] is None:
            raise MissingError(
                f"version {version} of {path} was deleted in Vault",
                remedy="undelete it, or delete its metadata so that new values are made",
            )
        values = {key: as_text(value) for key, value in held["data"].items()}
        return Entry(values, version, held["metadata"].get("custom_metadata") or {}, held["data"])

    def write(self, name: str, values: Mapping[str, str], *, expected: Entry | None) -> None:
        """A new version, only where ``expected`` is still the newest; unchanged values keep their types."""
        stored = expected.stored if expected else {}
        same = {key for key in stored.keys() & values.keys() if as_text(stored[key]) == values[key]}
        self._call(
            name,
            lambda: self._client.secrets.kv.v2.create_or_update_secret(
                self._path(name),
                {key: stored[key] if key in same else value for key, value in values.items()},
                # 0 means "only if there is none" (Vault's KV version 2 API).
                cas=expected.version if expected else 0,
                mount_point=self._secrets.vault_mount,
            ),
        )

    def mark(self, name: str, marks: Mapping[str, str]) -> None:
        """Set the custom metadata, which may come before the first version.

        Source: Vault's documentation, "KV secrets engine, version 2 (API)", "Create/Update metadata".
        """
        self._call(
            name,
            lambda: self._client.secrets.kv.v2.update_metadata(
                self._path(name), custom_metadata=dict(marks), mount_point=self._secrets.vault_mount
            ),
        )

    def restore(self, name: str, version: str) -> None:
        """Write the values of ``version`` as the newest; nothing is written if that version is gone."""
        kv, mount = self._client.secrets.kv.v2, self._secrets.vault_mount
        found = self._call(
            name,
            lambda: kv.read_secret_version(
                self._path(name), version=int(version), mount_point=mount, raise_on_deleted_version=False
            ),
            absent=True,
        )
        if found is not None and found["data"]["data"] is not None:
            values = found["data"]["data"]
            self._call(name, lambda: kv.create_or_update_secret(self._path(name), values, mount_point=mount))

    def delete(self, name: str) -> None:
        """All versions and their metadata."""
        self._call(
            name,
            lambda: self._client.secrets.kv.v2.delete_metadata_and_all_versions(
                self._path(name), mount_point=self._secrets.vault_mount
            ),
            absent=True,
        )

    def _held(self, name: str, found: Any) -> dict[str, Any]:
        """``data`` and ``metadata`` of an answer."""
        held = found.get("data") if isinstance(found, dict) else None
        if not isinstance(held, dict):
            raise UnreachableError(
                f"what answers at {self._address} for {self._path(name)} is not Vault",
                remedy="check VAULT_ADDR, and whether a login or a proxy stands before it",
            )
        if not isinstance(held.get("metadata"), dict):
            raise self._other_engine(name)
        return held

    def _require_second_version(self, name: str) -> None:
        """Raise ``RefusedError`` if the mount is another engine; Vault's own command line asks the same way."""
        if self._is_second_version:
            return
        try:
            found = self._retrying(self._logged_in, lambda: self._client.read(f"{_MOUNTS}/{self._secrets.vault_mount}"))
            mount = found["data"]
            is_second = (mount["type"], mount["options"]["version"]) == ("kv", "2")
        # Vault tells every login that may do anything there; one that it does not tell finds out by its first read.
        except (exceptions.VaultError, requests.RequestException):
            return
        except (KeyError, TypeError):
            is_second = False
        if not is_second:
            raise self._other_engine(name)
        self._is_second_version = True

    def _other_engine(self, name: str) -> RefusedError:
        return RefusedError(
            f"Vault at {self._address} has another engine at {self._secrets.vault_mount}/{self._path(name)}",
            remedy="check that secrets.vault_mount is a KV version 2 engine",
        )

    def _path(self, name: str) -> str:
        return f"{self._secrets.vault_prefix}/{name}"

    def _call(self, name: str, request: Callable[[], Any], *, absent: bool = False) -> Any:
        try:
            return self._retrying(self._logged_in, request)
        except exceptions.InvalidPath as error:
            # Vault answers 404 without errors for a missing entry, with some for a mount that is not there.
            if absent and not error.errors:
                return None
            raise self._translated(name, error) from None
        except (exceptions.VaultError, requests.RequestException) as error:
            raise self._translated(name, error) from None

    def _logged_in(self, request: Callable[[], Any]) -> Any:
        fresh = not self._client.token
        if fresh:
            self._log_in()
        try:
            return request()
        except exceptions.Forbidden:
            # A fresh login that is refused lacks a right; an old one may have expired only.
            if fresh or self._secrets.vault_auth == "token":
                raise
            self._log_in()
            return request()

    def _log_in(self) -> None:
        mount = self._secrets.vault_auth_mount or self._secrets.vault_auth
        match self._secrets.vault_auth:
            case "token":
                self._client.token = self._secret("VAULT_TOKEN", "Vault token")
            case "approle":
                self._client.auth.approle.login(
                    role_id=self._secret("VAULT_ROLE_ID", "AppRole role id"),
                    secret_id=self._secret("VAULT_SECRET_ID", "AppRole secret id"),
                    mount_point=mount,
                )
            case "kubernetes":
                self._client.auth.kubernetes.login(
                    role=self._secrets.vault_role, jwt=self._service_account_token(), mount_point=mount
                )

    def _secret(self, name: str, purpose: str) -> str:
        return self._credentials.required(name, purpose=purpose).get_secret_value()

    def _service_account_token(self) -> str:
        if SERVICE_ACCOUNT_TOKEN.exists() and not self._credentials.given("VAULT_KUBERNETES_TOKEN"):
            return SERVICE_ACCOUNT_TOKEN.read_text().strip()
        return self._secret("VAULT_KUBERNETES_TOKEN", "service account token")

    def _translated(self, name: str, error: Any) -> BootstrapError:
        path, said = f"{self._secrets.vault_mount}/{self._path(name)}", _said(error)
        match error:
            case exceptions.InvalidRequest() if "check-and-set" in said:
                return ConflictError(f"{path} was changed by another run", remedy="run it again")
            case exceptions.Forbidden() | exceptions.Unauthorized():
                return RefusedError(
                    f"Vault at {self._address} refuses {path}",
                    remedy="check the token or role, and its policy on data/ and metadata/ of the path",
                )
            case exceptions.InvalidRequest() | exceptions.InvalidPath() | exceptions.UnsupportedOperation():
                return RefusedError(
                    f"Vault at {self._address} does not take {path} ({said})",
                    remedy="check the login, and that secrets.vault_mount is a KV version 2 engine",
                )
            case exceptions.VaultDown():
                return UnreachableError(f"Vault at {self._address} is sealed or in standby", remedy="unseal it")
        return UnreachableError(
            f"cannot reach Vault at {self._address} ({said})",
            remedy="check VAULT_ADDR and VAULT_CACERT, or open a tunnel",
        )


def _said(error: Any) -> str:
    """What the server, or the error's kind, says; a request's text could hold a token."""
    errors = getattr(error, "errors", None)
    return "; ".join(str(text).strip() for text in errors) if errors else type(error).__name__


def as_text(value: Any) -> str:
    """A value as External Secrets hands it to pods: text as it is, anything else as JSON, and nothing for null."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
