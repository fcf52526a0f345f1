"""Browser sessions that begin with the login and end with the user's access: for the release that keeps its own.

mlflow-oidc-auth 5.6.1 keeps the session's id through the login, so that whoever has planted an id is logged in with its
user, sets a cookie that plain http carries too, and renews a session with every request, for ever.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from mlflow_sso.access_rows import ENDED
from mlflow_sso.changes import ENDED_ACCESS
from mlflow_sso.serve.request_metrics import note_login

LOGIN_TIME = "mlflow_sso_login_time"
"""Key of the session: when it began, in seconds since 1970."""

LOGIN_MARK = "mlflow_sso_login_mark"
"""Key of the session: the mark of ``end-access`` that its user had when it began; None for a user without one."""

RETURNED = "returned:"
"""What ``access_rows.ENDED`` becomes when its user logs in again, until a new key takes its place."""

KEEP_MARK = (
    f"INSERT INTO {ENDED_ACCESS} (username, mark) VALUES (:username, :mark) "  # noqa: S608
    "ON CONFLICT (username) DO UPDATE SET mark = excluded.mark"
)
READ_MARK = f"SELECT mark FROM {ENDED_ACCESS} WHERE username = :username"  # noqa: S608
READ_HASH_AND_MARK = (
    f"SELECT password_hash, mark FROM users LEFT JOIN {ENDED_ACCESS} USING (username) "  # noqa: S608
    "WHERE username = :username"
)

FAILED = "The login could not be completed. Please try again."

Process = Callable[[Any, Any], tuple[str | None, list[str]]]


def protect_sessions(*, redirect_uri: str, lifetime_seconds: int) -> None:
    """Set the cookie's flags, begin a new session at each login, and end those that are over.

    ``redirect_uri`` is the public address of ``/callback``: the cookie is Secure unless it is plain http.
    """
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow.server import app
    from mlflow_oidc_auth.views import authentication

    app.config.update(
        SESSION_COOKIE_SECURE=urlsplit(redirect_uri).scheme != "http",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    authentication.process_oidc_callback = _beginning_a_session(authentication.process_oidc_callback)
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: end_if_over(lifetime_seconds))


def _beginning_a_session(process: Process) -> Process:
    # flask is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from flask import current_app

    def processed(request: Any, session: Any) -> tuple[str | None, list[str]]:
        try:
            email, errors = process(request, session)
        except Exception:
            current_app.logger.exception("the login could not be completed")
            note_login(None, [FAILED])
            return None, [FAILED]
        note_login(email, errors)
        if not errors:
            session[LOGIN_MARK] = _mark_returned(email)
            session[LOGIN_TIME] = int(time.time())
            # The old session is deleted from its store, so that its id opens nothing any more.
            current_app.session_interface.regenerate(session)
        return email, errors

    return processed


def end_if_over(lifetime_seconds: int) -> None:
    """Forget the login of a session that is too old, or whose user's access has been ended since or is unknown."""
    from flask import request, session
    from mlflow_oidc_auth.hooks.before_request import _is_unprotected_route

    if _is_unprotected_route(request.path) or not session.get("username"):
        return
    stored_hash, mark = _stored_hash_and_mark(session["username"])
    age = time.time() - session.get(LOGIN_TIME, 0)
    if age > lifetime_seconds or is_ended(session.get(LOGIN_MARK), stored_hash, mark):
        session.clear()


def is_ended(login_mark: str | None, stored_hash: str | None, mark: str | None = None) -> bool:
    """Whether a session that began under ``login_mark`` has ended; ``stored_hash`` is None for an unknown user.

    ``mark`` is the one that the user's sessions have now. Marks are compared for equality, never as times: the database
    that writes them has another clock than this process.
    """
    if stored_hash is None or stored_hash.startswith(ENDED):
        return True
    if mark is None and stored_hash.startswith(RETURNED):
        mark = stored_hash.removeprefix(RETURNED)
    return mark is not None and mark != login_mark


def _mark_returned(username: str | None) -> str | None:
    """Keep the mark apart from the hash, which the user's next key overwrites."""
    from mlflow_oidc_auth.db.models import SqlUser
    from mlflow_oidc_auth.store import store
    from sqlalchemy import text

    with store.ManagedSessionMaker() as session:
        user = session.query(SqlUser).filter(SqlUser.username == username).one_or_none()
        if user is None:
            return None
        for begin in (ENDED, RETURNED):
            if user.password_hash.startswith(begin):
                mark = user.password_hash.removeprefix(begin)
                user.password_hash = RETURNED + mark
                session.execute(text(KEEP_MARK), {"username": username, "mark": mark})
        kept: str | None = session.execute(text(READ_MARK), {"username": username}).scalar()
    return kept


def _stored_hash_and_mark(username: str) -> tuple[str | None, str | None]:
    from mlflow_oidc_auth.store import store
    from sqlalchemy import text

    with store.ManagedSessionMaker() as session:
        row = session.execute(text(READ_HASH_AND_MARK), {"username": username}).one_or_none()
    return tuple(row) if row is not None else (None, None)
