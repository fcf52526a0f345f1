"""Checks of access keys that cost no more than their limit: verified keys are remembered, the others take their turn.

What is remembered is an HMAC of the stored hash and the password, under a key that is drawn at the start and never
leaves the process; neither the password nor its hash can be read from it. The plugin still reads the user's row at
each request and decides about expiry itself; a key that was replaced has another stored hash, and is refused at once.

Hashing (scrypt: 32 MB and a core for 0.1 s) is what an attacker can make the server do without a login, so it is
rationed by ``KeyChecks``. A user without a row, or whose key has expired, is hashed for as well: the time does not
tell.
"""

import hmac
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cachetools import LRUCache

from mlflow_sso.patches.key_checks import KeyChecks, KeyChecksBusyError
from mlflow_sso.patches.untried_logins import busy

REMEMBERED = 4096
"""Verified keys at most; the one that was not used for longest is forgotten first. About 1 MB."""

SCRYPT_OF_NO_KEY = "scrypt:32768:8:1$" + "x" * 16 + "$" + "0" * 128
"""What Werkzeug stores by default; no known password has this hash."""

__all__ = ["KeyChecksBusyError", "VerifiedKeys", "busy", "guard_key_checks"]

Check = Callable[[str, str], bool]


def mark_busy(_: Exception) -> tuple[str, int]:
    """Handle ``KeyChecksBusyError`` in Flask: a 401, which ``Admission`` turns into 429."""
    request = busy.get()
    if request is not None:
        request.key_checks_busy = True
    return "", 401


class Attempt:
    """One login with a key: the name that it is for, and whether a key was hashed."""

    def __init__(self, name: str) -> None:
        self.name, self.hashed, self.busy = name, False, False


_attempt: ContextVar[Attempt | None] = ContextVar("attempt_to_log_in", default=None)


class VerifiedKeys:
    """``check``, as ``checks`` allows, with a memory of its successes; failures are checked anew each time.

    ``remembered`` is how many successes are kept; none of them at zero.
    """

    def __init__(self, check: Check, *, remembered: int = REMEMBERED, checks: KeyChecks | None = None) -> None:
        self._check = check
        self._checks = checks or KeyChecks()
        self._secret = secrets.token_bytes(32)
        self._seen: LRUCache[bytes, bool] = LRUCache(remembered)
        self._lock = threading.Lock()

    def __call__(self, stored_hash: str, password: str) -> bool:
        """Whether ``password`` has ``stored_hash``; ``werkzeug.security.check_password_hash``.

        Raises ``KeyChecksBusyError`` if that was not tried.
        """
        attempt = _attempt.get()
        if attempt is not None:
            attempt.hashed = True
        mark = self._mark(stored_hash, password)
        if self._remembers(mark):
            return True
        name = attempt.name if attempt is not None else stored_hash
        try:
            # Asked again when its turn comes: another request may have verified the same key meanwhile.
            good = self._checks.run(name, mark, lambda: self._remembers(mark) or self._check(stored_hash, password))
        except KeyChecksBusyError:
            if attempt is not None:
                attempt.busy = True
            raise
        if good:
            self._remember(mark)
        return good

    def knows(self, stored_hash: str, password: str) -> bool:
        """Whether ``password`` has been found to have ``stored_hash``; nothing is hashed."""
        return self._remembers(self._mark(stored_hash, password))

    def check_nothing(self, name: str, password: str, *, stored_hash: str) -> None:
        """Take as long as a wrong key of ``name`` does, against a hash that no key has."""
        self._checks.run(name, self._mark(name, password), lambda: self._check(stored_hash, password) and False)

    def _remember(self, mark: bytes) -> None:
        if self._seen.maxsize:
            with self._lock:
                self._seen[mark] = True

    def _remembers(self, mark: bytes) -> bool:
        with self._lock:
            return mark in self._seen and self._seen[mark]

    def _mark(self, stored_hash: str, password: str) -> bytes:
        # The stored hash has a fixed alphabet without NUL, so the two cannot run into each other.
        return hmac.digest(self._secret, f"{stored_hash}\0{password}".encode(errors="surrogatepass"), "sha256")


Authenticate = Callable[[Any, str, str], bool]


def guard_key_checks(
    module: Any,
    repository: Any,
    *,
    remembered: int = REMEMBERED,
    hash_of_no_key: Callable[[str], str] = lambda _: SCRYPT_OF_NO_KEY,
) -> VerifiedKeys:
    """Put the result in front of the one function by which ``module`` of the plugin compares a password with a hash.

    ``repository`` is its class whose ``authenticate`` reads the user's row first. ``hash_of_no_key`` says which hash a
    password is compared with if there was none to compare it with.
    """
    keys = VerifiedKeys(module.check_password_hash, remembered=remembered)
    module.check_password_hash = keys
    authenticate: Authenticate = repository.authenticate

    def authenticate_in_equal_time(self: Any, username: str, password: str) -> bool:
        with _attempt_of(username) as attempt:
            try:
                good = authenticate(self, username, password)
            except Exception:
                # MLflow's sessions turn every exception into one of their own.
                if attempt.busy:
                    raise KeyChecksBusyError from None
                raise
        if not good and not attempt.hashed:
            keys.check_nothing(username, password, stored_hash=hash_of_no_key(password))
        return good

    repository.authenticate = authenticate_in_equal_time
    return keys


@contextmanager
def _attempt_of(name: str) -> Iterator[Attempt]:
    attempt = Attempt(name)
    token = _attempt.set(attempt)
    try:
        yield attempt
    finally:
        _attempt.reset(token)
