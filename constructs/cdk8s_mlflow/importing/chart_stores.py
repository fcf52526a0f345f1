"""The chart's databases, artifact stores and login as settings of ours."""

from collections.abc import Iterator, Mapping
from typing import Any

from cdk8s_mlflow.importing.outcome import SECRET, Carried, LeftOut, Outcome, asked
from cdk8s_mlflow.importing.variables import (
    EXISTING_DATABASE,
    account,
    database,
    database_host,
    groups,
    keycloak_realm,
    public_host,
    redis,
)

Values = Mapping[str, Any]

_KEEP = "names a Secret of that installation: `bootstrap.py secrets` keeps its values in the secret store"
_OTHER_SQL = "is not supported: copy the databases to PostgreSQL first"


def backend_store(value: Values, release: str) -> Iterator[Outcome]:
    """PostgreSQL; any other database is left out."""
    postgres = value.get("postgres") or {}
    if postgres.get("enabled"):
        yield from _postgres("backendStore.postgres", postgres, name_key="database.name")
    for kind in ("mysql", "mssql"):
        if (value.get(kind) or {}).get("enabled"):
            yield LeftOut(f"backendStore.{kind}", _OTHER_SQL)
    path = value.get("defaultSqlitePath")
    # The chart's default is in memory: nothing is there that could be lost.
    if path and path != ":memory:":
        yield LeftOut("backendStore.defaultSqlitePath", _OTHER_SQL)
    if (value.get("existingDatabaseSecret") or {}).get("name"):
        yield LeftOut("backendStore.existingDatabaseSecret", _KEEP)


def _postgres(source: str, value: Values, *, name_key: str) -> Iterator[Outcome]:
    if value.get("host"):
        yield from database_host(str(value["host"]))
    if value.get("port") not in (None, "", 5432):
        yield Carried("database.port", int(value["port"]))
    if value.get("database"):
        yield Carried(name_key, value["database"])
    if value.get("user"):
        yield Carried("database.role", value["user"])
    if value.get("password"):
        yield LeftOut(f"{source}.password", SECRET)
    if (value.get("existingSecret") or {}).get("name"):
        yield LeftOut(f"{source}.existingSecret", _KEEP)
    yield from EXISTING_DATABASE


def artifact_root(value: Values, release: str) -> Iterator[Outcome]:
    """A bucket of S3 that only the server reads and writes."""
    s3 = value.get("s3") or {}
    if s3.get("enabled"):
        yield from _s3(s3, proxied=bool(value.get("proxiedArtifactStorage")))
    blobs = value.get("azureBlob") or {}
    if blobs.get("enabled"):
        yield from _blobs(blobs)
    gcs = value.get("gcs") or {}
    if gcs.get("enabled"):
        yield from _google(gcs)
    for name in ("defaultArtifactRoot", "defaultArtifactsDestination"):
        path = str(value.get(name) or "")
        # The chart's defaults are folders of the pod, of the form ./mlruns.
        if path and not path.startswith("./"):
            yield LeftOut(f"artifactRoot.{name}", f"is {path}; the server proxies artifacts of its bucket here")


def _s3(value: Values, *, proxied: bool) -> Iterator[Outcome]:
    yield Carried("artifacts.kind", "s3")
    if value.get("bucket"):
        yield Carried("artifacts.bucket", value["bucket"])
        if not proxied:
            yield LeftOut(
                "artifactRoot.proxiedArtifactStorage",
                f"is off: experiments there keep s3://{value['bucket']}/…, which clients reach with keys of their own; "
                "new ones go through the server",
            )
    if value.get("path"):
        yield Carried("artifacts.prefix", str(value["path"]).strip("/"))
    for name in ("awsAccessKeyId", "awsSecretAccessKey"):
        if value.get(name):
            yield LeftOut(f"artifactRoot.s3.{name}", SECRET)
    if (value.get("existingSecret") or {}).get("name"):
        yield LeftOut("artifactRoot.s3.existingSecret", _KEEP)


def _blobs(value: Values) -> Iterator[Outcome]:
    yield from account(f"{value.get('storageAccount')}.blob.core.windows.net")
    if value.get("container"):
        yield Carried("artifacts.bucket", value["container"])
    if value.get("path"):
        yield Carried("artifacts.prefix", str(value["path"]).strip("/"))
    for name in ("accessKey", "connectionString"):
        if value.get(name):
            yield LeftOut(f"artifactRoot.azureBlob.{name}", SECRET)


def _google(value: Values) -> Iterator[Outcome]:
    yield Carried("artifacts.kind", "gcs")
    if value.get("bucket"):
        yield Carried("artifacts.bucket", value["bucket"])
    if value.get("path"):
        yield Carried("artifacts.prefix", str(value["path"]).strip("/"))


def oidc(value: Values, release: str) -> Iterator[Outcome]:
    """Keycloak's realm, the client, the groups, and the database of permissions."""
    if value.get("enabled") is not True:
        return
    if value.get("discoveryUrl"):
        yield from keycloak_realm("oidcAuth.discoveryUrl", str(value["discoveryUrl"]))
    if value.get("redirectUri"):
        yield from public_host("oidcAuth.redirectUri", str(value["redirectUri"]))
    for name, key in _LOGIN.items():
        if value.get(name):
            yield Carried(key, value[name])
    for name, administrators in (("adminGroupName", True), ("groupName", False)):
        given = value.get(name) or []
        # The chart takes a name or a list of names.
        listed = [given] if isinstance(given, str) else list(given)
        yield from groups(f"oidcAuth.{name}", listed, administrators=administrators)
    yield from _login_secrets(value)
    yield from _permissions_database(value.get("database") or {})
    yield from _cache(value.get("cache") or {})


_LOGIN = {
    "clientId": "authentication.client_id",
    "groupsAttribute": "authentication.groups_claim",
    "providerDisplayName": "authentication.provider_name",
    "defaultPermission": "authentication.default_permission",
    "trustedProxies": "server.trusted_proxies",
}


def _login_secrets(value: Values) -> Iterator[Outcome]:
    if value.get("clientSecret"):
        yield LeftOut("oidcAuth.clientSecret", SECRET)
    if (value.get("existingSecret") or {}).get("name"):
        yield LeftOut("oidcAuth.existingSecret", _KEEP)
    if value.get("audience") not in (None, "", value.get("clientId")):
        yield LeftOut("oidcAuth.audience", "is the client here")
    if value.get("sessionCookieSecure") is False or value.get("sessionCookieSamesite") not in (None, "", "lax"):
        yield LeftOut("oidcAuth.sessionCookie…", "is Secure and SameSite=Lax here")
    if value.get("scope") and "groups" not in str(value["scope"]):
        yield LeftOut(
            "oidcAuth.scope", "follows from authentication.groups_scope, which `bootstrap.py apply keycloak` creates"
        )


def _permissions_database(value: Values) -> Iterator[Outcome]:
    postgres = value.get("postgres") or {}
    if value.get("uri"):
        yield from database("oidcAuth.database.uri", str(value["uri"]), name_key="database.auth_name")
    elif postgres.get("enabled"):
        yield from _postgres("oidcAuth.database.postgres", postgres, name_key="database.auth_name")
    # Without PostgreSQL the plugin's own default is at work.
    elif not asked(postgres):
        yield LeftOut(
            "oidcAuth.database",
            "is a file of SQLite in the pod: users and grants begin anew, and have to be granted again",
        )


def _cache(value: Values) -> Iterator[Outcome]:
    if value.get("enabled") and value.get("redisUrl"):
        yield from redis("oidcAuth.cache.redisUrl", str(value["redisUrl"]))
