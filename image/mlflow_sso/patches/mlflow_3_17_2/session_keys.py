"""Browser sessions that outlive a new SECRET_KEY: the setting may hold the current key and the one before it.

The plugin knows several keys for SESSION_TOKEN_ENCRYPTION_KEY only, in the same notation: separated by commas, the
current one first.
"""

import time
from typing import Any

MINIMUM_LENGTH = 32
"""Characters; a setting with a shorter part is one key, which happens to hold a comma."""

SETTLE_SECONDS = 180.0
"""After the start of a process, while others may know the earlier key only: it signs with that one until then."""


def read_keys(setting: str) -> list[str]:
    """The keys of ``setting``, the current one first."""
    keys = setting.split(",")
    return keys if all(len(key) >= MINIMUM_LENGTH for key in keys) else [setting]


def accept_earlier_keys() -> None:
    """Have the plugin's application, which is imported later, sign with the current key and accept all."""
    from itsdangerous import TimestampSigner
    from starlette.middleware import sessions

    class Signer(TimestampSigner):  # type: ignore[misc]
        """itsdangerous signs with the last of its keys."""

        secret_keys: list[bytes]

        def __init__(self, keys: list[str]) -> None:
            super().__init__(keys)
            self._current = self.secret_keys[0]
            self._settled = time.monotonic() + SETTLE_SECONDS

        def sign(self, value: str | bytes) -> bytes:
            if self.secret_keys[-1] != self._current and time.monotonic() > self._settled:
                self.secret_keys = [*self.secret_keys[1:], self._current]
            return bytes(super().sign(value))

    class Sessions(sessions.SessionMiddleware):  # type: ignore[misc]
        def __init__(self, app: Any, secret_key: str, **options: Any) -> None:
            super().__init__(app, secret_key, **options)
            self.signer = Signer(read_keys(str(secret_key)))

    sessions.SessionMiddleware = Sessions
