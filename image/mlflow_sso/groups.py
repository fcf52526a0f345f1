"""A user's groups, from the paths that Keycloak puts into a token; both plugins' ``OIDC_GROUP_DETECTION_PLUGIN``.

The claim holds full paths: ``/mlflow-admins`` is the realm's own group, ``/contractors/mlflow-admins`` is another one
with the same name. The first is called ``mlflow-admins`` here, the second ``contractors/mlflow-admins``.
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from typing import Any

SEPARATOR = "/"
PARENT_VARIABLE = "MLFLOW_SSO_SUBGROUPS_OF"
"""Environment variable: the group whose sub-groups count as it; unset, none does."""
OLD_TOKENS_VARIABLE = "MLFLOW_SSO_ACCEPT_OLD_TOKENS"
"""Environment variable: ``true`` while Keycloak still sends names without a path."""


def get_user_groups(access_token: str) -> list[str]:
    """The groups that an access token names; the plugins have it from Keycloak itself, or have checked its signature.

    Returns no group for a token or a claim that cannot be read: such a user may not log in.
    """
    try:
        # A JWT leaves out the padding (RFC 7515, section 2); Python ignores what is too much of it.
        claims = json.loads(base64.urlsafe_b64decode(access_token.split(".")[1] + "=="))
    except (IndexError, ValueError, binascii.Error):
        return []
    return groups_of(claims) if isinstance(claims, Mapping) else []


def groups_of(claims: Mapping[str, Any]) -> list[str]:
    """The groups of validated ``claims``, in order."""
    found = claims.get(os.environ.get("OIDC_GROUPS_ATTRIBUTE") or "groups")
    return group_names(
        [found] if isinstance(found, str) else found if isinstance(found, list) else [],
        subgroups_of=os.environ.get(PARENT_VARIABLE, ""),
        plain=os.environ.get(OLD_TOKENS_VARIABLE) == "true",
    )


def group_names(paths: list[Any], *, subgroups_of: str = "", plain: bool = False) -> list[str]:
    """Names of the groups at ``paths``; what is no path is no group, unless ``plain`` takes it for a name.

    ``subgroups_of`` is a group that the members of its sub-groups belong to as well.
    """
    names: dict[str, None] = {}
    for path in paths:
        name = _name(path, plain=plain)
        if name:
            names[name] = None
            if subgroups_of and name.startswith(subgroups_of + SEPARATOR):
                names[subgroups_of] = None
    return list(names)


def _name(path: Any, *, plain: bool) -> str:
    if not isinstance(path, str):
        return ""
    # Only the first slash: a group whose own name begins with one is not the group without it.
    return path[1:] if path.startswith(SEPARATOR) else path if plain else ""


def allowed_groups() -> frozenset[str]:
    """The groups whose members may use the server: OIDC_GROUP_NAME and OIDC_ADMIN_GROUP_NAME."""
    return users_groups() | administrators_groups()


def users_groups() -> frozenset[str]:
    """The groups of OIDC_GROUP_NAME; those of administrators may be among them."""
    return _listed("OIDC_GROUP_NAME")


def administrators_groups() -> frozenset[str]:
    """The groups whose members administer: OIDC_ADMIN_GROUP_NAME."""
    return _listed("OIDC_ADMIN_GROUP_NAME")


def _listed(variable: str) -> frozenset[str]:
    return frozenset(name.strip() for name in os.environ.get(variable, "").split(",")) - {""}
