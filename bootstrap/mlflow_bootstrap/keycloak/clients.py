"""The clients of an environment: the tracking server's for browsers, one for machines, one that looks users up."""

from typing import Any

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.context import Context
from mlflow_bootstrap.keycloak.client import Client
from mlflow_bootstrap.keycloak.connection import GROUPS, Api
from mlflow_bootstrap.keycloak.members import our_groups
from mlflow_bootstrap.store.entries import DIRECTORY, MACHINES

FLOWS = (
    "standardFlowEnabled",
    "implicitFlowEnabled",
    "directAccessGrantsEnabled",
    "serviceAccountsEnabled",
)
FLOW_ATTRIBUTES = (
    "oauth2.device.authorization.grant.enabled",
    "oauth2.jwt.authorization.grant.enabled",
    "oidc.ciba.grant.enabled",
    "standard.token.exchange.enabled",
)
"""Ways to a token that Keycloak switches by attributes of the client."""

POST_LOGOUT = "post.logout.redirect.uris"
PKCE = "pkce.code.challenge.method"


def browser_fields(settings: Settings) -> dict[str, Any]:
    """Standard flow only, and exact addresses."""
    ingress = settings.ingress
    return _fields("standardFlowEnabled", redirect_uris=[*ingress.redirect_uris], web_origins=[*ingress.public_urls])


def browser_attributes(settings: Settings) -> dict[str, str]:
    """Where a logout may lead, and PKCE where the release sends it: elsewhere it would refuse every login."""
    pkce = "S256" if settings.tested_release.pkce else ""
    # Keycloak separates several by "##".
    addresses = {POST_LOGOUT: "##".join(settings.ingress.post_logout_uris), PKCE: pkce}
    return {**dict.fromkeys(FLOW_ATTRIBUTES, ""), **addresses, GROUPS: ",".join(our_groups(settings))}


def machine_fields() -> dict[str, Any]:
    """Client credentials only."""
    return _fields("serviceAccountsEnabled", redirect_uris=[], web_origins=[])


def machine_attributes() -> dict[str, str]:
    """No other way to a token."""
    return dict.fromkeys(FLOW_ATTRIBUTES, "")


def _fields(flow: str, *, redirect_uris: list[str], web_origins: list[str]) -> dict[str, Any]:
    return {
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": False,
        "bearerOnly": False,
        "clientAuthenticatorType": "client-secret",
        # Each is written out: a flow that was switched on by hand is another way to a token, and so drift.
        **{name: name == flow for name in FLOWS},
        # Sorted as the comparison sorts what Keycloak answers.
        "redirectUris": sorted(redirect_uris),
        "webOrigins": sorted(web_origins),
    }


def browser_client(context: Context, api: Api, depends_on: tuple[str, ...]) -> Client:
    """The tracking server's client."""
    settings = context.settings
    return Client(
        api=api,
        client_id=settings.authentication.client_id,
        fields=browser_fields(settings),
        attributes=browser_attributes(settings),
        scopes=(settings.authentication.groups_scope,),
        values=context.values,
        entry="oidc",
        setting="authentication.client_id",
        instance=settings.instance,
        depends_on=depends_on,
        audience=settings.authentication.client_id,
    )


def machine_client(context: Context, api: Api, client_id: str, depends_on: tuple[str, ...]) -> Client:
    """The client of CI and notebooks."""
    return Client(
        api=api,
        client_id=client_id,
        fields=machine_fields(),
        attributes=machine_attributes(),
        scopes=(context.settings.authentication.groups_scope,),
        values=context.values,
        entry=MACHINES,
        setting="authentication.machine_client",
        instance=context.settings.instance,
        depends_on=depends_on,
        audience=context.settings.authentication.client_id,
    )


def directory_client(context: Context, api: Api, client_id: str, depends_on: tuple[str, ...]) -> Client:
    """The client by which ``end-access`` looks up who has left; its tokens are for Keycloak only."""
    return Client(
        api=api,
        client_id=client_id,
        fields=machine_fields(),
        attributes=machine_attributes(),
        # No groups: the server must not take this client's token for a user's.
        scopes=(),
        values=context.values,
        entry=DIRECTORY,
        setting="authentication.directory_client",
        instance=context.settings.instance,
        depends_on=depends_on,
    )
