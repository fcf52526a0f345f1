"""Keeps a user with an unverified e-mail address from an account that another user has had.

Both plugins know a user by the address. Keycloak lets the address of a user who was deleted be another's, and says by
``email_verified`` whether it has been checked (OpenID Connect Core, section 5.1). A verified address is believed.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from mlflow_sso.groups import groups_of

LOGIN_REFUSED = "Your e-mail address is not verified in Keycloak, and its account was another user's"
ACCOUNT_REFUSED = "the e-mail address is not verified in Keycloak, and its account was another user's"
ADMINISTRATOR_REFUSED = "the e-mail address is not verified in Keycloak, and its account administers"

Claims = Mapping[str, Any]
Account = tuple[bool, bool]
"""Whether it administers, and whether its address was another user's."""
Find = Callable[[Claims], Account | None]
"""The account that the ``email`` of claims names, in small letters; None if there is none yet."""


def login_problem(claims: Claims, find: Find) -> str | None:
    """Why a user may not log in; a login takes an administrator's rights itself."""
    account = None if claims.get("email_verified") is True else find(claims)
    return LOGIN_REFUSED if account and account[1] else None


def token_problem(claims: Claims, find: Find) -> str | None:
    """Why a token is refused, with which the rights of the account are those of its last login."""
    account = None if claims.get("email_verified") is True else find(claims)
    if account is None:
        return None
    administers, was_anothers = account
    if was_anothers:
        return ACCOUNT_REFUSED
    administrators = {name.strip() for name in os.environ.get("OIDC_ADMIN_GROUP_NAME", "").split(",")}
    return ADMINISTRATOR_REFUSED if administers and administrators.isdisjoint(groups_of(claims)) else None


def account_of_ended(claims: Claims) -> Account | None:
    """Of mlflow-oidc-auth 5.6.1, which keeps no id of Keycloak's: an account was another's if its access has ended."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.db.models import SqlUser
    from mlflow_oidc_auth.store import store

    from mlflow_sso.access_rows import ENDED

    with store.ManagedSessionMaker() as session:
        query = session.query(SqlUser.is_admin, SqlUser.password_hash)
        row = query.filter(SqlUser.username == _address(claims)).one_or_none()
    return (bool(row[0]), str(row[1]).startswith(ENDED)) if row else None


def account_of_identities(claims: Claims) -> Account | None:
    """Of mlflow-oidc-auth 11.0.2: an account was another's if it is bound to an id of Keycloak's, and not to this."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.db.models import SqlUser, SqlUserIdentity
    from mlflow_oidc_auth.store import store

    name = _address(claims)
    with store.ManagedSessionMaker() as session:
        row = session.query(SqlUser.id, SqlUser.is_admin).filter(SqlUser.username == name).one_or_none()
        if row is None:
            return None
        bound = session.query(SqlUserIdentity.subject).filter(SqlUserIdentity.user_id == row[0])
        # The plugin's migration has bound each user of before to the name.
        subjects = {subject for (subject,) in bound} - {name}
    return bool(row[1]), bool(subjects) and claims.get("sub") not in subjects


def _address(claims: Claims) -> str:
    return str(claims.get("email") or "").strip().lower()
