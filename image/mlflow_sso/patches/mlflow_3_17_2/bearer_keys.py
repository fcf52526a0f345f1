"""Lets MLFLOW_TRACKING_TOKEN carry an access key: ``Bearer mlf_…`` becomes the basic login that the plugin checks.

An access key names its own row by its prefix, which is not secret; the row names the user. What decides is the
plugin's own check of user and key, so that a wrong, expired or deleted key, or an unauthorized user, is refused
as it is with basic authentication; the request also counts as one with an access key, not with a login.
"""

from base64 import b64encode
from hashlib import sha256
from threading import Lock

from anyio import CapacityLimiter, to_thread
from cachetools import TTLCache

from mlflow_sso.asgi import Application, Receive, Scope, Send

SCHEME = b"bearer "
MARK = b"mlf_"
REMEMBERED_SECONDS = 60
"""How long the user of a prefix is remembered. A deleted key is refused at once all the same: the check decides."""


class BearerAccessKeys:
    """ASGI middleware in front of the plugin's application."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._owners: TTLCache[bytes, str] = TTLCache(4096, REMEMBERED_SECONDS)
        self._lock = Lock()
        self._limiter = CapacityLimiter(4)

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        key = access_key(scope) if scope["type"] == "http" else None
        if key is not None:
            scope = {**scope, "headers": await self._with_basic_login(scope["headers"], key)}
        await self._application(scope, receive, send)

    async def _with_basic_login(self, headers: list[tuple[bytes, bytes]], key: str) -> list[tuple[bytes, bytes]]:
        login = b64encode(f"{await self._owner(key)}:{key}".encode())
        others = [(name, value) for name, value in headers if name != b"authorization"]
        return [*others, (b"authorization", b"Basic " + login)]

    async def _owner(self, key: str) -> str:
        """Name of the user whose key this is; empty, which is no user's name, if there is none."""
        # The plugin reads its settings when it is imported, so not before serve has set them.
        from mlflow_oidc_auth.repository.user_token import parse_prefix

        prefix = parse_prefix(key)
        if prefix is None:
            return ""
        # By the whole key: what a prefix finds the sooner, because another key of it was asked for, tells that it
        # exists.
        mark = sha256(key.encode()).digest()
        with self._lock:
            owner = self._owners.get(mark)
        if owner is None:
            owner = await to_thread.run_sync(find_owner, prefix, limiter=self._limiter)
            with self._lock:
                self._owners[mark] = owner
        return str(owner)


def access_key(scope: Scope) -> str | None:
    """The access key that a request carries as bearer token; None where it carries something else, or several."""
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(values) != 1 or not values[0].lower().startswith(SCHEME):
        return None
    token = values[0][len(SCHEME) :].strip()
    return token.decode("ascii") if token.startswith(MARK) and token.isascii() else None


def find_owner(prefix: str) -> str:
    """Name of the user who holds the key with ``prefix``; empty if no user does."""
    from mlflow_oidc_auth.db.models import SqlUser, SqlUserToken
    from mlflow_oidc_auth.store import store

    with store.ManagedSessionMaker() as session:
        users = session.query(SqlUser.username).join(SqlUserToken, SqlUserToken.user_id == SqlUser.id)
        name = users.filter(SqlUserToken.token_prefix == prefix).scalar()
    # A colon would end the name early in a basic login; such a user cannot log in that way either.
    return name if name and ":" not in name else ""
