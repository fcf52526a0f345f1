"""Who may log in, and how sessions are kept."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from cdk8s_mlflow.settings.addresses import Host, KeycloakHost
from cdk8s_mlflow.settings.instance import follows_instance
from cdk8s_mlflow.settings.section import Conflict, Port, Section, Text, matching

_GROUP = r"[^/,\s]([^/,]{0,253}[^/,\s])?"
Group = Annotated[
    str,
    StringConstraints(max_length=255),
    matching(rf"{_GROUP}(/{_GROUP})*", "mlflow-users or teams/ml (no '/' at either end and no ',')"),
]
"""Path of a Keycloak group from the realm's top; the server's list of groups is separated by commas."""

Claim = Annotated[str, matching(r"[A-Za-z0-9_-]{1,64}", "groups")]
Scope = Annotated[str, matching(r"[A-Za-z0-9._-]{1,128}", "groups")]


class RedisSettings(Section):
    """A Redis that the server's pods share for browser sessions and caches."""

    host: Host
    """Host of Redis."""

    port: Port = 6379
    """Port of Redis."""

    database: Annotated[int, Field(ge=0, le=15)] = 0
    """Number of the logical database."""

    tls: bool = False
    """Speak TLS."""

    username: Text | None = None
    """User of Redis 6 and newer; unset for the default user."""

    password: bool = True
    """Whether Redis asks for a password; it is the field redis_password of the server's entry in the secret store."""

    @property
    def environment(self) -> dict[str, str]:
        """What the server reads of it, the password excepted."""
        return {
            "REDIS_HOST": self.host,
            "REDIS_PORT": str(self.port),
            "REDIS_DB": str(self.database),
            "REDIS_SSL": str(self.tls).lower(),
            **({"REDIS_USERNAME": self.username} if self.username else {}),
        }


class AuthenticationSettings(Section):
    """Keycloak as the only way in, the groups it sends, and what its users may do."""

    keycloak_host: KeycloakHost
    """Public host name of Keycloak."""

    keycloak_port: Port = 443
    """Public port of Keycloak."""

    keycloak_path: Annotated[str, matching(r"(/[A-Za-z0-9._-]+)*", "/auth, or empty")] = ""
    """Path under which Keycloak is served, such as /auth."""

    realm: Annotated[str, matching(r"[^/?#%\s]([^/?#%]{0,253}[^/?#%\s])?", "platform")] = "mlflow"
    """Realm of the users."""

    client_id: Annotated[str, matching(r"[A-Za-z0-9._-]{1,255}", "mlflow")] = follows_instance("{instance}")
    """Confidential client of the tracking server."""

    groups_claim: Claim = "groups"
    """Claim that lists a user's groups."""

    groups_scope: Scope = follows_instance("{prefix}{groups_claim}", in_section="groups")
    """Client scope that puts the claim into tokens; created by bootstrap.py."""

    admin_group: Group = "mlflow-admins"
    """Group whose members are administrators of MLflow."""

    user_group: Group = "mlflow-users"
    """Group whose members may log in."""

    include_subgroups: bool = False
    """Whether members of the sub-groups of ``user_group`` may log in too; those of ``admin_group`` never count."""

    accept_old_tokens: bool = False
    """Accept group names without a path, and no audience: while an upgrade waits for `bootstrap.py apply keycloak`."""

    provider_name: Text = "Keycloak"
    """Name on the login button."""

    default_permission: Literal["NO_PERMISSIONS", "READ", "EDIT", "MANAGE"] = "NO_PERMISSIONS"
    """What a user may do without a grant; the creator always has MANAGE."""

    automatic_login_redirect: bool = False
    """Go to Keycloak at once instead of showing the login page."""

    land_on_permissions: bool = True
    """Show the permissions page after login instead of the experiments."""

    session_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """Hours that a browser session lasts at most."""

    redis: RedisSettings | None = None
    """Shared store of browser sessions; several replicas need it on releases that keep them outside the database."""

    machine_client: Annotated[str, matching(r"[A-Za-z0-9._-]{1,255}", "mlflow-machines")] | None = None
    """Service-account client for CI and notebooks, in ``user_group``; unset creates none."""

    directory_client: Annotated[str, matching(r"[A-Za-z0-9._-]{1,255}", "mlflow-directory")] | None = follows_instance(
        "{instance}-directory"
    )
    """Service-account client that looks users up, so that the access of those who left is ended; null creates none."""

    @property
    def keycloak_url(self) -> str:
        """Keycloak's base address, without a slash at the end."""
        port = "" if self.keycloak_port == 443 else f":{self.keycloak_port}"
        return f"https://{self.keycloak_host}{port}{self.keycloak_path}"

    @property
    def issuer(self) -> str:
        """The ``iss`` of the realm's tokens (OpenID Connect Discovery 1.0, section 3)."""
        # Keycloak writes the issuer of a realm with spaces so, and tokens are compared with it as text.
        return f"{self.keycloak_url}/realms/{self.realm.replace(' ', '%20')}"

    @property
    def discovery_url(self) -> str:
        """The realm's OpenID configuration document."""
        return f"{self.issuer}/.well-known/openid-configuration"


def authentication_conflicts(authentication: AuthenticationSettings) -> Iterator[Conflict]:
    """What cannot hold together, by dotted key."""
    if authentication.admin_group == authentication.user_group:
        yield (
            "authentication.user_group",
            f"is {authentication.user_group} too, which would make every user an administrator; name another",
        )
    if authentication.machine_client == authentication.client_id:
        yield "authentication.machine_client", "is the client of the server; name another"
    if authentication.directory_client and authentication.directory_client in (
        authentication.client_id,
        authentication.machine_client,
    ):
        yield "authentication.directory_client", "is a client that others log in with; name another"
