"""What the server cannot start without, checked all at once, a line for each thing that is missing or wrong."""

import binascii
import configparser
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from mlflow_sso import google_client
from mlflow_sso.blob_client import IDENTITY, KEY_FILE, require_clients
from mlflow_sso.errors import ProgramError, UsageError
from mlflow_sso.object_store import blob_folder, google_folder
from mlflow_sso.releases import Release
from mlflow_sso.secrets_root import SecretsRoot, missing
from mlflow_sso.serve.environment import VARIABLE

VARIABLES = {
    "MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2:///?service=mlflow",
    "OIDC_USERS_DB_URI": "postgresql+psycopg2:///?service=mlflow_auth",
    "MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow",
    "OIDC_DISCOVERY_URL": "https://keycloak.example.com/realms/mlflow/.well-known/openid-configuration",
}
"""Settings without which the server would start and fail later, each with an example."""

UNSUPPORTED = ("MLFLOW_ARTIFACTS_ONLY", "MLFLOW_GUNICORN_OPTS", "MLFLOW_WAITRESS_OPTS", "MLFLOW_UVICORN_OPTS")
"""Settings of ``mlflow server`` for another kind of server than this one."""

HOLES = {
    "MLFLOW_STATIC_PREFIX": "moves routes away from where permissions are checked",
    "ENABLE_API_DOCS": "adds routes that no permission guards",
    "MLFLOW_ENABLE_WORKSPACES": "adds routes that no permission guards",
    "MLFLOW_ENABLE_REMOTE_ASSISTANT": "lets users run commands in the pod",
    "MLFLOW_ENABLE_ASSISTANT_SANDBOX": "lets users run commands in the pod",
    "MLFLOW_SERVER_ENABLE_CUSTOM_SCORERS": "lets users run code in the pod",
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "lets every host and every web page call the server",
    "MLFLOW_SERVER_X_FRAME_OPTIONS": "lets other web pages show this one in a frame",
    "MLFLOW_GATEWAY_RESOLVE_API_KEY_FROM_FILE": "lets users read the server's files",
    "MLFLOW_GATEWAY_RESOLVE_API_KEY_FROM_ENV": "lets users read the server's keys",
    "MLFLOW_S3_IGNORE_TLS": "trusts every certificate of the object store",
    "OIDC_GROUP_DETECTION_PLUGIN": "takes groups from elsewhere than the token",
}
"""Settings that let users do more than permissions say, unless they are in ``HARMLESS``; each with the reason."""

HARMLESS = {
    **dict.fromkeys(HOLES, ("", "false", "0", "no", "off")),
    "MLFLOW_SERVER_X_FRAME_OPTIONS": ("", "sameorigin", "deny"),
    "MLFLOW_STATIC_PREFIX": ("",),
    "OIDC_GROUP_DETECTION_PLUGIN": ("",),
    # The plugin takes every other text for false, an empty one too (config_providers/manager.py, get_bool).
    "OIDC_VERIFY_SSL": ("true", "1", "t"),
}
"""Values of those settings that open nothing, in small letters."""

PRIVATE = "_MLFLOW_"
"""Beginning of the variables by which MLflow's own server tells its workers its settings; this one sets them itself."""

CLOUD_IDENTITY = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ACCESS_KEY_ID")
"""Where boto3 finds credentials other than a file (boto3 documentation, "Credentials")."""


def require_application(release: Release, name: str | None) -> None:
    """Raise ``UsageError`` for an application that this release does not have, or that needs another server."""
    if name is not None and name not in release.applications:
        raise UsageError(
            f"--app-name {name} is not served by release {release.mlflow}",
            remedy=f"use one of: {', '.join(release.applications)}",
        )


def problems(release: Release, root: SecretsRoot, variables: Mapping[str, str]) -> Iterator[str]:
    """Everything that is missing or cannot work, in the order in which the Secrets are documented."""
    return chain(
        _settings(variables),
        _databases(root, variables),
        _artifact_store(root, variables),
        _secrets(root, "oidc", ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"), variables),
        _secrets(root, "server", release.server_secrets, variables),
        _empty(root, release.server_secrets),
        _session_store(variables),
        _permission(release, variables),
    )


def _settings(variables: Mapping[str, str]) -> Iterator[str]:
    for name, example in VARIABLES.items():
        if not variables.get(name):
            yield f"{name} is not set; an example: {example}"
    for name in UNSUPPORTED:
        if variables.get(name):
            yield f"{name} is set, and this server does not read it: remove it"


def holes(given: Mapping[str, str]) -> Iterator[str]:
    """A line for each variable of the container that would let users do more than permissions say."""
    for name, harmless in HARMLESS.items():
        if name in given and given[name].strip().lower() not in harmless:
            yield f"{name} {HOLES.get(name, 'trusts every certificate of Keycloak')}: remove it"
    for name in sorted(given):
        if name.startswith(PRIVATE):
            yield f"{name} is private to MLflow's own server: remove it"


def _databases(root: SecretsRoot, variables: Mapping[str, str]) -> Iterator[str]:
    wanted = [_service(variables.get(name, "")) for name in ("MLFLOW_BACKEND_STORE_URI", "OIDC_USERS_DB_URI")]
    services = [service for service in wanted if service]
    file = Path(variables.get("PGSERVICEFILE") or root.file("db", "pg_service.conf"))
    if services and not file.is_file():
        yield missing(file, "db")
        return
    known = _sections(file) if services else {}
    for service in services:
        if service not in known:
            yield f"{file} has no section [{service}]: it comes from mlflow-db-secret, key {file.name}"
        # libpq takes an empty value for one that is not given, such as the login of the system's user.
        for option, value in known.get(service, {}).items():
            if not value:
                yield f"{file} has an empty {option} in section [{service}]: it comes from mlflow-db-secret"


def _service(uri: str) -> str | None:
    return parse_qs(urlsplit(uri).query).get("service", [None])[0]


# Raw, since a password may hold the % that ConfigParser interpolates; libpq takes repeated sections.
def _sections(file: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except (OSError, configparser.Error):
        return {}
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _artifact_store(root: SecretsRoot, variables: Mapping[str, str]) -> Iterator[str]:
    if blob_folder(variables.get("MLFLOW_ARTIFACTS_DESTINATION", "")):
        yield from _blob_store(root, variables)
        return
    if google_folder(variables.get("MLFLOW_ARTIFACTS_DESTINATION", "")):
        yield from _google_store(root, variables)
        return
    if not variables.get("MLFLOW_ARTIFACTS_DESTINATION", "").startswith("s3://"):
        return
    named = variables.get("AWS_SHARED_CREDENTIALS_FILE")
    file = Path(named) if named else root.file("s3", "credentials")
    if not file.is_file() and not any(variables.get(name) for name in CLOUD_IDENTITY):
        yield missing(file, "s3")


def _blob_store(root: SecretsRoot, variables: Mapping[str, str]) -> Iterator[str]:
    try:
        require_clients()
    except ProgramError as error:
        yield f"{error.message}; {error.remedy}"
    named = variables.get(KEY_FILE)
    file = Path(named) if named else root.file("azure", "AZURE_STORAGE_ACCESS_KEY")
    if (named or not all(variables.get(name) for name in IDENTITY)) and not _holds_key(file):
        yield f"{file} holds no key of a storage account: it comes from mlflow-azure-secret"


def _google_store(root: SecretsRoot, variables: Mapping[str, str]) -> Iterator[str]:
    try:
        google_client.require_clients()
    except ProgramError as error:
        yield f"{error.message}; {error.remedy}"
    if variables.get(google_client.IDENTITY) == "true":
        return
    try:
        google_client.read_key(Path(variables.get(google_client.KEY_FILE) or root.file("gcs", "key.json")))
    except ProgramError as error:
        yield error.message


def _holds_key(file: Path) -> bool:
    try:
        return bool(b64decode(file.read_text(encoding="utf-8").strip(), validate=True))
    except (OSError, ValueError):
        return False


def _secrets(root: SecretsRoot, mount: str, names: tuple[str, ...], variables: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        value = variables.get(name)
        if not value:
            yield missing(root.file(mount, name), mount)
        elif name.endswith("_ENCRYPTION_KEY") and not all(map(_is_fernet_key, _keys(name, value))):
            yield f"{root.file(mount, name)} is not a Fernet key: it must be 32 random bytes in URL-safe base64"


def _empty(root: SecretsRoot, named: tuple[str, ...]) -> Iterator[str]:
    """Files of the server's Secret, beside those that every server needs, that hold nothing."""
    folder = root.path / "server"
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if VARIABLE.fullmatch(file.name) and file.name not in named and root.find("server", file.name) is None:
            yield f"{file} is empty: it comes from mlflow-server-secret"


def _keys(name: str, value: str) -> list[str]:
    """The plugin takes several for sessions, the current one first (session/token_vault.py); others are one."""
    return value.split(",") if name == "SESSION_TOKEN_ENCRYPTION_KEY" else [value]


def _is_fernet_key(value: str) -> bool:
    try:
        return len(urlsafe_b64decode(value.encode())) == 32
    except (binascii.Error, ValueError):
        return False


def _session_store(variables: Mapping[str, str]) -> Iterator[str]:
    wanted = {"SESSION_TYPE": "redis", "CACHE_TYPE": "RedisCache", "CACHE_BACKEND": "redis"}
    for name, value in wanted.items():
        if variables.get(name) == value and not variables.get("REDIS_HOST"):
            yield f"{name} is {value}, but REDIS_HOST is not set"


def _permission(release: Release, variables: Mapping[str, str]) -> Iterator[str]:
    given = variables.get("DEFAULT_MLFLOW_PERMISSION")
    if given and given not in release.permissions:
        yield f"DEFAULT_MLFLOW_PERMISSION is {given}; it must be one of: {', '.join(release.permissions)}"
