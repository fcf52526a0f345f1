"""Names that Keycloak, PostgreSQL or Prometheus have a use of their own for, each with its remedy.

Sources: Keycloak 26's default clients and client scopes of a realm; RFC 7519 (4.1) and OpenID Connect Core 1.0 (2, 5.1)
for claims; PostgreSQL documentation, "CREATE ROLE"; Prometheus documentation, "Data model".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings

ADMINISTRATORS_REALM = "master"
"""Realm of Keycloak's own administrators."""

CLIENTS = frozenset(("account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"))
"""Clients that Keycloak makes in every realm."""

SCOPES = frozenset(
    {
        "acr",
        "address",
        "basic",
        "email",
        "microprofile-jwt",
        "offline_access",
        "openid",
        "organization",
        "phone",
        "profile",
        "role_list",
        "roles",
        "saml_organization",
        "service_account",
        "web-origins",
    }
)
"""Client scopes that Keycloak makes in every realm, and OpenID's own."""

CLAIMS = frozenset(
    {
        "acr",
        "address",
        "allowed-origins",
        "amr",
        "at_hash",
        "aud",
        "auth_time",
        "azp",
        "birthdate",
        "c_hash",
        "client_id",
        "cnf",
        "email",
        "email_verified",
        "exp",
        "family_name",
        "gender",
        "given_name",
        "iat",
        "iss",
        "jti",
        "locale",
        "middle_name",
        "name",
        "nbf",
        "nickname",
        "nonce",
        "phone_number",
        "phone_number_verified",
        "picture",
        "preferred_username",
        "profile",
        "realm_access",
        "resource_access",
        "scope",
        "session_state",
        "sid",
        "sub",
        "typ",
        "updated_at",
        "website",
        "zoneinfo",
    }
)
"""Claims with a meaning of their own in Keycloak's tokens."""

_ROLES = ("public", "none")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def foreign_names(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each name that means something else where it is used."""
    yield from _of_keycloak(settings)
    if settings.database.role in _ROLES:
        yield "database.role", f"is {settings.database.role}, which PostgreSQL keeps for itself; name another"
    for name in settings.monitoring.alert_labels:
        if not _LABEL.fullmatch(name):
            yield (
                f"monitoring.alert_labels.{name}",
                "is no label of Prometheus, which would take none of the alerts; use letters, digits and '_'",
            )
        elif name == "alertname":
            yield f"monitoring.alert_labels.{name}", "is the name of each alert itself; use another"


def _of_keycloak(settings: EnvironmentSettings) -> Iterator[Conflict]:
    login = settings.authentication
    clients = {
        "authentication.client_id": login.client_id,
        "authentication.machine_client": login.machine_client,
        "authentication.directory_client": login.directory_client,
    }
    if login.realm == ADMINISTRATORS_REALM:
        yield (
            "authentication.realm",
            "is master, whose users and clients administer Keycloak itself; make a realm for users, and name that",
        )
    for key, client in clients.items():
        if client in CLIENTS:
            yield key, f"is {client}, a client that Keycloak makes for itself in every realm; name another"
    if login.groups_scope in SCOPES:
        yield (
            "authentication.groups_scope",
            f"is {login.groups_scope}, a scope that Keycloak makes in every realm; name another",
        )
    if login.groups_claim in CLAIMS:
        yield (
            "authentication.groups_claim",
            f"is {login.groups_claim}, which says something else in every token; name another, such as groups",
        )
    if login.admin_group != login.user_group and login.admin_group.casefold() == login.user_group.casefold():
        yield (
            "authentication.user_group",
            f"is {login.user_group}, which only capitals tell from authentication.admin_group; name another",
        )
