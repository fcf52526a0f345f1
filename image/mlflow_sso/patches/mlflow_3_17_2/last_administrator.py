"""Lets a login take an administrator's rights away who has left the group, also if no other is left.

mlflow-oidc-auth 11.0.2 refuses whatever ends the last administrator, so that a login fails for the one who has left the
group of administrators, whose keys administer meanwhile. Here the group says who administers: its next member who logs
in does. What administrators do by hand stays refused.
"""

from contextvars import ContextVar
from typing import Any

_by_login: ContextVar[bool] = ContextVar("by_login", default=False)


def let_logins_demote() -> None:
    """Change how the plugin's store updates users."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.repository.user import UserRepository

    update, check = UserRepository.update, UserRepository._assert_not_last_active_admin

    def updated(*arguments: Any, written_by: str | None = None, **changes: Any) -> Any:
        token = _by_login.set((written_by or "").startswith("oidc:"))
        try:
            return update(*arguments, written_by=written_by, **changes)
        finally:
            _by_login.reset(token)

    def checked(session: Any, user: Any, action: str) -> None:
        if not (_by_login.get() and action == "demote"):
            check(session, user, action)

    UserRepository.update = updated
    UserRepository._assert_not_last_active_admin = staticmethod(checked)
