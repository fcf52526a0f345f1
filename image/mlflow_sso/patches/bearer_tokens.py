"""Which tokens of the realm open the server: access tokens for us, from our issuer, of a member of our groups.

Upstream checks less. mlflow-oidc-auth 5.6.1 (``auth.validate_token``) checks the signature and ``exp``, so that any
client's token, and any ID token, is accepted; 11.0.2 checks ``iss`` and ``aud`` if they are configured, and takes an
ID token for an access token, since the audience of ours is the client's name. Keycloak tells them apart by the claim
``typ``: Bearer, ID, Refresh, Offline, Logout (Server Administration Guide, "Protocol mappers").
"""

import os
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from mlflow_sso.groups import OLD_TOKENS_VARIABLE, allowed_groups, groups_of
from mlflow_sso.patches.rotated_keys import RotatedKeys
from mlflow_sso.patches.untried_logins import busy

Claims = Mapping[str, Any]
Validate = Callable[[str], Any]
AccountProblem = Callable[[Claims], str | None]
"""Why the account that a token names is not its user's; None if it is."""


class RefusedTokenError(ValueError):
    """The token opens nothing here; the text says why, without any of the token's content."""


def problem_of(claims: Claims, *, audience: str | None, issuer: str, groups: frozenset[str]) -> str | None:
    """Why a token with ``claims``, whose signature is valid, is not accepted; None if it is.

    ``audience`` is None while Keycloak sends none yet.
    """
    if claims.get("typ") != "Bearer":
        return "this is not an access token"
    if not issuer or claims.get("iss") != issuer:
        return "the token was issued by another realm or address"
    audiences = claims.get("aud")
    if audience is not None and (not audience or audience not in _listed(audiences)):
        return f"the token's audience (aud) lacks {audience}: its client needs an audience mapper"
    if not isinstance(claims.get("exp"), int | float):
        return "the token never expires"
    if not _email(claims):
        return "the token has no e-mail address"
    if groups.isdisjoint(groups_of(claims)):
        return "the token's user is in none of the groups that may use this server"
    return None


def _listed(audiences: Any) -> list[Any]:
    return audiences if isinstance(audiences, list) else [audiences]


def _email(claims: Claims) -> str | None:
    email = claims.get("email")
    # PostgreSQL takes no NUL, and no address has a control character.
    return email.strip() if isinstance(email, str) and email.strip() and email.isprintable() else None


def checked(validate: Validate, account_problem: AccountProblem = lambda _: None) -> Validate:
    """``validate``, the plugin's own function, followed by what it does not check; raises ``RefusedTokenError``."""

    def validated(token: str) -> Any:
        try:
            claims = validate(token)
        except Exception as error:
            request = busy.get()
            if request is not None and JWT.fullmatch(token) and _is_outage(error):
                request.keys_unreadable = True
            raise
        problem = problem_of(
            claims,
            audience=None if os.environ.get(OLD_TOKENS_VARIABLE) == "true" else os.environ.get("OIDC_AUDIENCE", ""),
            issuer=os.environ.get("OIDC_ISSUER", ""),
            groups=allowed_groups(),
        )
        problem = problem or account_problem(claims)
        if problem:
            raise RefusedTokenError(problem)
        # Users are known by their address in lower case; Keycloak keeps it as it was typed.
        claims["email"] = str(_email(claims)).lower()
        return claims

    return validated


JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
"""Form of a token (RFC 7519); anything else is wrong whatever the realm's keys are."""
CLIENTS = ("requests", "urllib3", "httpx", "httpx2", "httpcore")
"""Packages by which the plugins ask the realm."""
NO_KEYS = "No jwks_uri found"
"""What the plugin of 3.17.2 says of an answer that is no discovery document."""


def _is_outage(error: BaseException | None) -> bool:
    """Whether the realm's keys could not be read, so that nothing is known of the token."""
    while error is not None:
        if type(error).__module__.partition(".")[0] in CLIENTS or NO_KEYS in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def check_tokens(
    *modules: ModuleType, read_keys_again: Callable[[str], Any], account_problem: AccountProblem = lambda _: None
) -> None:
    """Let every module among ``modules``, which import ``validate_token`` by name, use the whole check.

    ``read_keys_again`` reads the keys of a token's realm, whatever is remembered of them.
    """
    validate = checked(RotatedKeys(modules[0].validate_token, read_keys_again), account_problem)
    for module in modules:
        module.validate_token = validate  # type: ignore[attr-defined]
