"""A bounded memory of access keys that were verified, for the release whose check takes a tenth of a second of CPU.

What is remembered is an HMAC of the stored hash and the password, under a key that is drawn at the start and never
leaves the process; neither the password nor its hash can be read from it. The plugin still reads the user's row at
each request and decides about expiry itself; a key that was replaced has another stored hash, and is refused at once.
"""

import hmac
import secrets
import threading
from collections.abc import Callable

from cachetools import LRUCache

REMEMBERED = 4096
"""Verified keys at most; the one that was not used for longest goes first. About 1 MB."""

CONCURRENT_HASHES = 2
"""Each takes 32 MB and a core for about 0.1 s; without a limit, 40 wrong keys at once take a gigabyte."""

Check = Callable[[str, str], bool]


class VerifiedKeys:
    """``check``, never more than two at a time, with a memory of its successes; failures are checked anew each time.

    ``remembered`` is how many successes are kept; none of them at zero.
    """

    def __init__(self, check: Check, *, remembered: int = REMEMBERED) -> None:
        self._check = check
        self._secret = secrets.token_bytes(32)
        self._seen: LRUCache[bytes, bool] = LRUCache(remembered)
        self._lock = threading.Lock()
        self._hashing = threading.BoundedSemaphore(CONCURRENT_HASHES)

    def __call__(self, stored_hash: str, password: str) -> bool:
        """Whether ``password`` has ``stored_hash``; ``werkzeug.security.check_password_hash``."""
        mark = self._mark(stored_hash, password)
        if self._remembers(mark):
            return True
        with self._hashing:
            # Who waited here may have waited for the very same key.
            if not self._remembers(mark) and not self._check(stored_hash, password):
                return False
        self._remember(mark)
        return True

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


def guard_key_checks(*, remembered: int = REMEMBERED) -> None:
    """Put it in front of the one function by which the plugin compares a password with a hash."""
    from mlflow_oidc_auth.repository import user

    user.check_password_hash = VerifiedKeys(user.check_password_hash, remembered=remembered)
