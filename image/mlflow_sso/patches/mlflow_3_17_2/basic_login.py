"""Logs in with an access key, for the release that checks all keys one after the other, in one thread.

mlflow-oidc-auth 11.0.2 has an executor of one thread for it, because a key that was carried over from an older release
takes 0.1 s to hash: whoever tries wrong ones of such a user keeps all others waiting. ``KeyChecks`` rations the hashing
itself, so the rest may run side by side.
"""

from base64 import b64decode
from binascii import Error
from logging import getLogger
from typing import Any

from anyio import CapacityLimiter, to_thread

from mlflow_sso.patches.access_keys import busy
from mlflow_sso.patches.key_checks import HASHES, WAITING, KeyChecksBusyError

LOGINS = HASHES + WAITING + 6
"""At once: those that hash or wait for it, and some whose key is known."""

_log = getLogger(__name__)
_limiter = CapacityLimiter(LOGINS)
Outcome = tuple[bool, str | None, str]


async def log_in_with_key(_: Any, header: str) -> Outcome:
    """Whether, as which user, or why not; ``AuthMiddleware._authenticate_basic_auth``."""
    from mlflow_oidc_auth.store import store

    login = read_login(header)
    if login is None:
        return False, None, "Invalid basic auth format"
    name, key = login
    try:
        good = await to_thread.run_sync(store.authenticate_user, name, key, limiter=_limiter)
    except KeyChecksBusyError:
        request = busy.get()
        if request is not None:
            request.key_checks_busy = True
        return False, None, "Too many keys are being checked"
    except Exception:  # as the plugin does: OutageInsteadOfRefusal then asks whether the database answers
        _log.warning("a login with an access key failed", exc_info=True)
        return False, None, "Access keys cannot be checked"
    return (True, name, "") if good else (False, None, "Invalid basic auth credentials")


def read_login(header: str) -> tuple[str, str] | None:
    """User name, in small letters, and key of an Authorization header; None if it cannot be read."""
    try:
        name, colon, key = b64decode(header.partition(" ")[2]).decode().partition(":")
    except (Error, ValueError):
        return None
    return (name.lower(), key) if colon else None
