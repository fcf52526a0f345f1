"""Logs in with an access key, for the release that checks all keys one after the other, in one thread.

mlflow-oidc-auth 11.0.2 has an executor of one thread for it, because a key that was carried over from an older release
takes 0.1 s to hash: whoever tries wrong ones of such a user keeps all others waiting. ``KeyChecks`` rations the hashing
itself, so the rest may run side by side.
"""

from collections.abc import Callable
from logging import getLogger

from anyio import CapacityLimiter, to_thread

from mlflow_sso.authorization.release_3_17_2.key_login import Login, note
from mlflow_sso.patches.key_checks import HASHES, WAITING, KeyChecksBusyError
from mlflow_sso.patches.untried_logins import busy
from mlflow_sso.serve.head import read_login

LOGINS = HASHES + WAITING + 6
"""At once: those that hash or wait for it, and some whose key is known."""

_log = getLogger(__name__)
_limiter = CapacityLimiter(LOGINS)
Outcome = tuple[bool, str | None, str]


class KeyLogins:
    """``find`` logs in with a key that is known to be right, by less than the plugin's statements, or gives None."""

    def __init__(self, find: Callable[[str, str], Login | None]) -> None:
        self._find = find

    def authenticate(self, name: str, key: str) -> tuple[bool, Login | None]:
        """Whether ``key`` is one of ``name``, and what was read."""
        # The plugin reads its settings when it is imported, so not before serve has set them.
        from mlflow_oidc_auth.store import store

        login = self._find(name, key)
        return (True, login) if login is not None else (bool(store.authenticate_user(name, key)), None)


async def log_in_with_key(logins: KeyLogins, header: str) -> Outcome:
    """Whether, as which user, or why not; ``AuthMiddleware._authenticate_basic_auth``."""
    note(None)
    sent = read_login(header)
    if sent is None:
        return False, None, "Invalid basic auth format"
    name, key = sent
    try:
        good, login = await to_thread.run_sync(logins.authenticate, name, key, limiter=_limiter)
        note(login)
    except KeyChecksBusyError:
        request = busy.get()
        if request is not None:
            request.key_checks_busy = True
        return False, None, "Too many keys are being checked"
    except Exception:  # as the plugin does: ServiceUnavailableMiddleware then asks whether the database answers
        _log.warning("a login with an access key failed", exc_info=True)
        return False, None, "Access keys cannot be checked"
    return (True, name, "") if good else (False, None, "Invalid basic auth credentials")
