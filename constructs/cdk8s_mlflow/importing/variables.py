"""Environment variables of MLflow, of mlflow-oidc-auth and of the recipe, as settings."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from cdk8s_mlflow.importing.outcome import ALWAYS, SECRET, Carried, LeftOut, Outcome
from cdk8s_mlflow.settings.database import SslMode
from cdk8s_mlflow.settings.extra_environment import harmless, refusal
from cdk8s_mlflow.settings.names_of_others import ADMINISTRATORS_REALM
from cdk8s_mlflow.settings.sources import VARIABLES

_SECRETS = re.compile(r".*(PASSWORD|SECRET|TOKEN|ACCESS_KEY(_ID)?|CREDENTIALS|PASSPHRASE|ENCRYPTION_KEY)(_FILE)?")
_ALWAYS = frozenset(
    {
        *("MLFLOW_SERVE_ARTIFACTS", "MLFLOW_DEFAULT_ARTIFACT_ROOT", "MLFLOW_EXPOSE_PROMETHEUS", "SESSION_TYPE"),
        *("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "SESSION_COOKIE_SECURE", "OIDC_USE_REFRESH_TOKEN"),
        *("GIT_PYTHON_REFRESH", "MLFLOW_HOST_PORT"),
    }
)
_SUPERFLUOUS = "follows from the host names and the client, or is not needed"

Rule = Callable[[str, str], Iterator[Outcome]]


def variables(given: Mapping[str, str], *, release: str) -> Iterator[Outcome]:
    """What becomes of each variable; values that are empty ask for nothing."""
    for name, value in given.items():
        if value.strip():
            yield from _variable(name, value.strip(), release)


def _variable(name: str, value: str, release: str) -> Iterator[Outcome]:
    # MLflow itself has a variable of this name, the address to listen on; ours is the public name.
    if name == "MLFLOW_HOST" and not re.search("[a-z]", value, re.IGNORECASE):
        yield LeftOut(
            name, "is an address to listen on, which follows from the settings; --mlflow-host is the public name"
        )
    elif name in VARIABLES:
        yield Carried(VARIABLES[name], value)
    elif name in RULES:
        yield from RULES[name](name, value)
    elif _SECRETS.fullmatch(name):
        yield LeftOut(name, SECRET)
    elif name in _ALWAYS:
        yield LeftOut(name, ALWAYS)
    elif name in harmless(release):
        yield Carried(f"server.extra_environment.{name}", value)
    elif name.startswith("OIDC_") and name.endswith(("_URI", "_URL", "_ID")):
        yield LeftOut(name, _SUPERFLUOUS)
    else:
        yield LeftOut(name, refusal(name, release))


def _shown(url: str) -> str:
    """An address without its login."""
    # The report is printed, and a URI of a database holds a password more often than not.
    return urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]).geturl()


def _text(key: str) -> Rule:
    return lambda name, value: iter([Carried(key, value)])


def _number(key: str) -> Rule:
    def rule(name: str, value: str) -> Iterator[Outcome]:
        # int() would take 1_000 and signs, too.
        yield Carried(key, int(value)) if value.isdecimal() else LeftOut(name, "is not a whole number")

    return rule


def _switch(key: str) -> Rule:
    return lambda name, value: iter([Carried(key, value.lower() in ("true", "1", "yes", "on", "t"))])


def _names(key: str) -> Rule:
    """A list separated by commas; a wildcard would open what the setting closes."""

    def rule(name: str, value: str) -> Iterator[Outcome]:
        names = [part.strip() for part in value.split(",") if part.strip()]
        if "*" in names:
            yield LeftOut(name, f"is a wildcard, by which any page or host would be trusted; name them in {key}")
        elif names:
            yield Carried(key, names)

    return rule


def keycloak_realm(source: str, url: str) -> Iterator[Outcome]:
    """Keycloak's host and realm of the address of its discovery document or issuer."""
    parts = urlsplit(url)
    match = re.fullmatch(r"(?P<path>.*?)/realms/(?P<realm>[^/]+)(/.*)?", parts.path)
    if match is None or not parts.hostname:
        yield LeftOut(
            source,
            f"is {_shown(url)}, which is no realm of Keycloak's (https://HOST/realms/REALM); others are not supported",
        )
        return
    if parts.scheme != "https":
        yield LeftOut(source, "is http: Keycloak is reached by https here, at the same host")
    yield Carried("authentication.keycloak_host", parts.hostname)
    realm = unquote(match["realm"])
    if realm == ADMINISTRATORS_REALM:
        yield LeftOut(source, "names the realm of Keycloak's own administrators; make one for users, and name that")
    else:
        yield Carried("authentication.realm", realm)
    # 80 is the port of http; the note above says that https at the same host is used.
    if parts.port not in (None, 443, 80):
        yield Carried("authentication.keycloak_port", parts.port)
    if match["path"]:
        yield Carried("authentication.keycloak_path", match["path"])


def public_host(source: str, url: str) -> Iterator[Outcome]:
    """Our own host of a redirect URI; only its standard path is known to the server."""
    parts = urlsplit(url)
    if not parts.hostname:
        yield LeftOut(source, f"is {_shown(url)}, which names no host")
        return
    yield Carried("ingress.host", parts.hostname)
    if parts.port not in (None, 443):
        yield Carried("ingress.public_port", parts.port)
    if parts.path not in ("/callback", "", "/"):
        yield LeftOut(
            source, f"has the path {parts.path}; here it is /callback, which `bootstrap.py apply keycloak` registers"
        )


def database(source: str, uri: str, *, name_key: str = "database.name") -> Iterator[Outcome]:
    """Host, port, database and role of a database's URI; its password is left out."""
    parts = urlsplit(uri)
    # SQLAlchemy's form is DIALECT+DRIVER.
    scheme = parts.scheme.partition("+")[0]
    if scheme not in ("postgresql", "postgres"):
        yield LeftOut(
            source, f"is {scheme or 'no URI'}; only PostgreSQL is supported: move the data with `mlflow` itself first"
        )
        return
    if parts.hostname:
        yield from database_host(parts.hostname)
    if parts.port not in (None, 5432):
        yield Carried("database.port", parts.port)
    if parts.path.strip("/"):
        yield Carried(name_key, unquote(parts.path.strip("/")))
    if parts.username:
        yield Carried("database.role", unquote(parts.username))
    if parts.password:
        yield LeftOut(f"{source} (its password)", SECRET)
    for name, value in parse_qsl(parts.query):
        if name == "sslmode" and value in get_args(SslMode):
            yield Carried("database.sslmode", value)
        else:
            # Its value is not shown: a password may be an option too.
            yield LeftOut(f"{source} (its option {name})", "has no setting; a search_path goes with the role")
    yield from EXISTING_DATABASE


EXISTING_DATABASE = (
    Carried("database.role_management", "bootstrap"),
    Carried("database.database_management", "bootstrap"),
)
"""Role and databases exist already; CloudNativePG must not create others of their names."""


def database_host(host: str) -> Iterator[Outcome]:
    """CloudNativePG's read-write Service by its Cluster, any other host as it is."""
    match = re.fullmatch(r"(?P<cluster>[a-z0-9-]+)-rw\.(?P<namespace>[a-z0-9-]+)(\.svc(\.cluster\.local)?)?", host)
    if match:
        yield Carried("database.cluster", match["cluster"])
        yield Carried("database.cluster_namespace", match["namespace"])
    else:
        yield Carried("database.host", host)


def bucket(source: str, uri: str) -> Iterator[Outcome]:
    """Bucket and folder of an artifact destination."""
    parts = urlsplit(uri)
    container, is_blob, host = parts.netloc.partition("@")
    if parts.scheme == "wasbs" and is_blob:
        yield from account(host)
    elif parts.scheme == "gs" and parts.netloc:
        yield Carried("artifacts.kind", "gcs")
    elif parts.scheme != "s3" or not parts.netloc:
        yield LeftOut(
            source, f"is {_shown(uri)}; artifacts are in S3, Azure or Google here: copy them there, keeping their paths"
        )
        return
    yield Carried("artifacts.bucket", container)
    if parts.path.strip("/"):
        yield Carried("artifacts.prefix", parts.path.strip("/"))


def account(host: str) -> Iterator[Outcome]:
    """A storage account of Azure by its host."""
    yield Carried("artifacts.kind", "azure")
    yield Carried("artifacts.endpoint", f"https://{host}")


def endpoint(source: str, url: str) -> Iterator[Outcome]:
    """Address of the S3 API."""
    yield Carried("artifacts.endpoint", url.rstrip("/"))
    # The kind decides which checks and which administrator's API apply; only a name can tell it here.
    yield Carried("artifacts.kind", "minio" if "minio" in url else "s3")


def upload_arguments(source: str, value: str) -> Iterator[Outcome]:
    """Encryption of MLFLOW_S3_UPLOAD_EXTRA_ARGS, a JSON object; nothing else of it is a setting."""
    try:
        given = json.loads(value)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        yield LeftOut(source, "is not a JSON object")
        return
    names = {"ServerSideEncryption": "artifacts.encryption", "SSEKMSKeyId": "artifacts.kms_key"}
    for name, argument in given.items():
        if name in names:
            yield Carried(names[name], argument)
        else:
            yield LeftOut(f"{source}.{name}", "is not a setting: it may open objects to others")


def redis(source: str, url: str) -> Iterator[Outcome]:
    """The shared store of sessions of a Redis URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        yield LeftOut(source, "is no address of a Redis")
        return
    yield Carried("authentication.redis.host", parts.hostname)
    if parts.port not in (None, 6379):
        yield Carried("authentication.redis.port", parts.port)
    if parts.path.strip("/").isdecimal():
        yield Carried("authentication.redis.database", int(parts.path.strip("/")))
    yield Carried("authentication.redis.tls", parts.scheme == "rediss")
    yield Carried("authentication.redis.password", bool(parts.password))
    if parts.password:
        yield LeftOut(f"{source} (its password)", SECRET)


def groups(source: str, names: list[str], *, administrators: bool) -> Iterator[Outcome]:
    """One group of Keycloak; the plugin takes lists."""
    key = "authentication.admin_group" if administrators else "authentication.user_group"
    if not names:
        return
    # A full path and a bare name mean the same top-level group.
    yield Carried(key, names[0].strip("/"))
    if names[1:]:
        yield LeftOut(source, f"has {', '.join(names[1:])} too: one group is taken; make the others members of {key}")


def _groups(administrators: bool) -> Rule:
    def rule(name: str, value: str) -> Iterator[Outcome]:
        yield from groups(
            name, [part.strip() for part in value.split(",") if part.strip()], administrators=administrators
        )

    return rule


RULES: Mapping[str, Rule] = {
    "MLFLOW_BACKEND_STORE_URI": database,
    "BACKEND_STORE_URI": database,
    "OIDC_USERS_DB_URI": lambda name, value: database(name, value, name_key="database.auth_name"),
    "MLFLOW_ARTIFACTS_DESTINATION": bucket,
    "MLFLOW_S3_ENDPOINT_URL": endpoint,
    "AWS_ENDPOINT_URL": endpoint,
    "MLFLOW_S3_UPLOAD_EXTRA_ARGS": upload_arguments,
    "AWS_REQUEST_CHECKSUM_CALCULATION": _text("artifacts.checksums"),
    "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": _text("artifacts.addressing"),
    "HTTPS_PROXY": _text("network.proxy.url"),
    "https_proxy": _text("network.proxy.url"),
    "NO_PROXY": _names("network.proxy.no_proxy"),
    "no_proxy": _names("network.proxy.no_proxy"),
    "AWS_DEFAULT_REGION": _text("artifacts.region"),
    "AWS_REGION": _text("artifacts.region"),
    "OIDC_DISCOVERY_URL": keycloak_realm,
    "OIDC_ISSUER": keycloak_realm,
    "OIDC_REDIRECT_URI": public_host,
    "OIDC_CLIENT_ID": _text("authentication.client_id"),
    "OIDC_ADMIN_GROUP_NAME": _groups(True),
    "OIDC_GROUP_NAME": _groups(False),
    "OIDC_GROUPS_ATTRIBUTE": _text("authentication.groups_claim"),
    "OIDC_PROVIDER_DISPLAY_NAME": _text("authentication.provider_name"),
    "DEFAULT_MLFLOW_PERMISSION": _text("authentication.default_permission"),
    "AUTOMATIC_LOGIN_REDIRECT": _switch("authentication.automatic_login_redirect"),
    "DEFAULT_LANDING_PAGE_IS_PERMISSIONS": _switch("authentication.land_on_permissions"),
    "CACHE_REDIS_URL": redis,
    "TRUSTED_PROXIES": _names("server.trusted_proxies"),
    "MLFLOW_SERVER_ALLOWED_HOSTS": _names("server.allowed_hosts"),
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": _names("server.cors_origins"),
    "MLFLOW_WORKERS": _number("server.workers"),
    "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": _number("database.pool_size"),
    "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": _number("database.max_overflow"),
    "LOG_LEVEL": lambda name, value: iter([Carried("server.log_level", value.upper())]),
}
"""Variables that are a setting of ours."""
