"""The server's environment: secrets from files, MLflow's private variables, and nothing that harms."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from mlflow_sso.check.identity_provider import SUFFIX as DISCOVERY_SUFFIX
from mlflow_sso.groups import OLD_TOKENS_VARIABLE
from mlflow_sso.releases import Release
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.variables import switched_on

PRIVATE_NAMES = {
    "MLFLOW_BACKEND_STORE_URI": "_MLFLOW_SERVER_FILE_STORE",
    "MLFLOW_REGISTRY_STORE_URI": "_MLFLOW_SERVER_REGISTRY_STORE",
    "MLFLOW_DEFAULT_ARTIFACT_ROOT": "_MLFLOW_SERVER_ARTIFACT_ROOT",
    "MLFLOW_ARTIFACTS_DESTINATION": "_MLFLOW_SERVER_ARTIFACT_DESTINATION",
    "MLFLOW_SERVE_ARTIFACTS": "_MLFLOW_SERVER_SERVE_ARTIFACTS",
    "PROMETHEUS_MULTIPROC_DIR": "prometheus_multiproc_dir",
}
"""How ``mlflow server`` hands its settings to its workers (mlflow/server/__init__.py, ``_run_server``)."""

SHOWN = (
    "MLFLOW_BACKEND_STORE_URI",
    "OIDC_USERS_DB_URI",
    "MLFLOW_ARTIFACTS_DESTINATION",
    "MLFLOW_DEFAULT_ARTIFACT_ROOT",
    "MLFLOW_S3_ENDPOINT_URL",
    "MLFLOW_SSO_BLOB_ENDPOINT",
    "MLFLOW_SSO_GCS_ENDPOINT",
    "MLFLOW_SERVER_ALLOWED_HOSTS",
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION",
    "MLFLOW_ENABLE_AI_GATEWAY",
    "MLFLOW_SSO_ACCESS_KEY_CACHE",
    "MLFLOW_SSO_BEARER_ACCESS_KEYS",
    "MLFLOW_SSO_POST_LOGOUT_URI",
    "OIDC_DISCOVERY_URL",
    "OIDC_REDIRECT_URI",
    "MLFLOW_SSO_REDIRECT_URIS",
    "OIDC_CLIENT_ID",
    "OIDC_SCOPE",
    "OIDC_ISSUER",
    "OIDC_AUDIENCE",
    "OIDC_PROVISION_ON_BEARER_AUTH",
    "MLFLOW_SSO_SUBGROUPS_OF",
    "MLFLOW_SSO_ACCEPT_OLD_TOKENS",
    "OIDC_GROUP_NAME",
    "OIDC_ADMIN_GROUP_NAME",
    "DEFAULT_MLFLOW_PERMISSION",
    "SESSION_TYPE",
    "SESSION_COOKIE_SECURE",
    "CACHE_TYPE",
    "CACHE_BACKEND",
    "REDIS_HOST",
    "TRUSTED_PROXIES",
    "LOG_LEVEL",
    "SSL_CERT_FILE",
)
"""Variables that the log shows: named one by one, so that a new secret never slips in."""

SERVICE_LINK = re.compile(r"[A-Z0-9_]+_PORT(_\d+_(TCP|UDP|SCTP))?")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def server_variables(release: Release, root: SecretsRoot, given: Mapping[str, str]) -> dict[str, str]:
    """Everything that the server's process gets: ``given``, the mounted Secrets, and what follows from them."""
    variables = {**_directories(), **without_service_links(given), **mounted_variables(root)}
    # Both products store times without a zone and mean UTC; PostgreSQL converts to that of the connection.
    variables.setdefault("PGTZ", "UTC")
    variables.setdefault("MLFLOW_SERVE_ARTIFACTS", "true")
    # MLflow 3.17.2 serves its AI gateway unless told otherwise.
    variables.setdefault("MLFLOW_ENABLE_AI_GATEWAY", "false")
    # MLflow 3.17.2 asks GitHub what models cost, under a provider's name that any span gives, and waits for minutes.
    variables["MLFLOW_MODEL_CATALOG_URI"] = ""
    variables.setdefault("MLFLOW_DEFAULT_ARTIFACT_ROOT", "mlflow-artifacts:/")
    variables.setdefault("MLFLOW_REGISTRY_STORE_URI", variables.get("MLFLOW_BACKEND_STORE_URI", ""))
    variables.update(_tokens(variables))
    if "REDIS_HOST" in variables:
        variables["CACHE_REDIS_URL"] = redis_url(variables)
    private = {own: variables[public] for public, own in PRIVATE_NAMES.items() if variables.get(public)}
    if not switched_on(variables, "MLFLOW_SERVE_ARTIFACTS"):
        del private[PRIVATE_NAMES["MLFLOW_SERVE_ARTIFACTS"]]
    return {**variables, **private, **release.private_variables()}


def _tokens(variables: Mapping[str, str]) -> dict[str, str]:
    """Whose tokens are accepted, and how their groups are read; never less than our own client's, of our own realm."""
    accept_old = variables.get(OLD_TOKENS_VARIABLE) == "true"
    # Unless the public address says otherwise, which it does on a developer's machine only.
    secure = not variables.get("OIDC_REDIRECT_URI", "").startswith("http://")
    issuer = variables.get("OIDC_DISCOVERY_URL", "").removesuffix(DISCOVERY_SUFFIX)
    return {
        "OIDC_ISSUER": variables.get("OIDC_ISSUER") or issuer,
        "OIDC_AUDIENCE": "" if accept_old else variables.get("OIDC_AUDIENCE") or variables.get("OIDC_CLIENT_ID", ""),
        "SESSION_COOKIE_SECURE": variables.get("SESSION_COOKIE_SECURE") or str(secure).lower(),
        "OIDC_GROUP_DETECTION_PLUGIN": "mlflow_sso.groups",
        # By default 11.0.2 takes the name of a user without an address, which users of a realm may choose.
        "OIDC_USERNAME_FIELD": "email",
    }


def without_service_links(given: Mapping[str, str]) -> dict[str, str]:
    """Drop what the kubelet sets for a Service: one named ``mlflow`` gives ``MLFLOW_PORT=tcp://10.0.0.1:80``."""
    return {
        name: value
        for name, value in given.items()
        if not (SERVICE_LINK.fullmatch(name) and value.startswith(("tcp://", "udp://", "sctp://")))
    }


def _directories() -> dict[str, str]:
    writable = Path(tempfile.gettempdir())
    names = {"SESSION_CACHE_DIR": "session", "CACHE_DIR": "cache", "PROMETHEUS_MULTIPROC_DIR": "metrics"}
    return {variable: str(writable / name) for variable, name in names.items()}


def mounted_variables(root: SecretsRoot) -> dict[str, str]:
    """What the mounted Secrets say of the server's environment."""
    files = [("oidc", name) for name in ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")]
    folder = root.path / "server"
    if folder.is_dir():
        files += [("server", file.name) for file in sorted(folder.iterdir()) if VARIABLE.fullmatch(file.name)]
    found = {name: root.find(mount, name) for mount, name in files}
    return {name: value for name, value in found.items() if value is not None}


def redis_url(variables: Mapping[str, str]) -> str:
    """The address of the shared store as one URL: the plugins' caches know no TLS and no user otherwise."""
    scheme = "rediss" if variables.get("REDIS_SSL", "").lower() in ("true", "1", "t") else "redis"
    login = (
        f"{quote(variables.get('REDIS_USERNAME', ''), safe='')}:{quote(variables.get('REDIS_PASSWORD', ''), safe='')}@"
    )
    place = f"{variables['REDIS_HOST']}:{variables.get('REDIS_PORT') or 6379}/{variables.get('REDIS_DB') or 0}"
    return f"{scheme}://{login if login != ':@' else ''}{place}"


def shown(variables: Mapping[str, str]) -> dict[str, str]:
    """The settings for the log, without the password of a database address that holds one."""
    return {name: _without_login(variables[name]) for name in SHOWN if variables.get(name)}


def _without_login(value: str) -> str:
    login = urlsplit(value).netloc.rpartition("@")[0] if "://" in value else ""
    return value.replace(f"{login}@", "", 1) if login else value
