"""The plugin's own authentication, once a request and before its body: what it finds out is used from then on.

``before_request_hook`` of mlflow-oidc-auth 5.6.1 authenticates and then decides; it passes over deciding for
administrators. So whoever it lets through is noted in the place where it asks whether that is one.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mlflow_sso.authorization.decision import Caller
from mlflow_sso.authorization.errors import Answer, RefusedError

_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)
"""Of the request that the application answers now; None until its login."""
_noted: ContextVar[list[Caller] | None] = ContextVar("noted", default=None)
_loaded: ContextVar[dict[str, Caller] | None] = ContextVar("loaded", default=None)
"""Users whose rows the plugin has read during this login; they need not be read again."""


@contextmanager
def as_caller(caller: Caller | None) -> Iterator[None]:
    """Let the plugin see ``caller`` as logged in and allowed."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


def authenticate_once() -> None:
    """Let the plugin's hooks and views ask neither who the caller is nor what they may, once ``serve`` has decided."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow.server import app
    from mlflow_oidc_auth.db.models import SqlUser
    from mlflow_oidc_auth.hooks import before_request
    from mlflow_oidc_auth.utils import decorators
    from sqlalchemy import event

    before_request.get_is_admin = _note
    event.listen(SqlUser, "load", _remember)
    hooks = app.before_request_funcs[None]
    hooks[hooks.index(before_request.before_request_hook)] = _unless_decided(before_request.before_request_hook)
    from mlflow_oidc_auth.hooks import after_request

    hooks = app.after_request_funcs[None]
    # Of what it does after an answer, the lists are filtered by conditions on the statements (listing.py).
    for key, handler in list(after_request.AFTER_REQUEST_HANDLERS.items()):
        if handler.__name__.startswith("_filter_"):
            del after_request.AFTER_REQUEST_HANDLERS[key]
    hooks[hooks.index(after_request.after_request_hook)] = _if_decided(after_request.after_request_hook)
    decided = decorators.get_is_admin
    decorators.get_is_admin = lambda: _caller.get() is not None or decided()


def _unless_decided(hook: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: None if _caller.get() else hook()


def _if_decided(hook: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """To the login page the plugin would react as to what was asked for."""
    return lambda answer: hook(answer) if _caller.get() else answer


def _note() -> bool:
    """Whether the plugin shall skip deciding: always."""
    noted = _noted.get()
    if noted is not None:
        noted.append(_read_caller())
    return True


def _read_caller() -> Caller:
    """Raises ``RefusedError`` if the credentials are those of no user."""
    from flask import request, session
    from mlflow_oidc_auth.utils import get_username

    username = session.get("username")
    shown = request.authorization
    if not username and shown is not None:
        username = shown.username if shown.type == "basic" else get_username()
    caller = _known_caller(username)
    if caller is None:
        raise RefusedError("these credentials are those of no user", status=401, error_code="UNAUTHENTICATED")
    return caller


def _remember(user: Any, *_: Any) -> None:
    loaded, row = _loaded.get(), user.__dict__
    if loaded is not None and "username" in row and "is_admin" in row:
        loaded[row["username"]] = Caller(row["username"], bool(row["is_admin"]))


def _known_caller(username: str | None) -> Caller | None:
    if username and (loaded := (_loaded.get() or {}).get(username)):
        return loaded
    from mlflow_oidc_auth.db.models import SqlUser
    from mlflow_oidc_auth.store import store

    with store.ManagedSessionMaker() as session:
        row = session.query(SqlUser.username, SqlUser.is_admin).filter(SqlUser.username == username).one_or_none()
    return Caller(row.username, bool(row.is_admin)) if row else None


def log_in(environ: dict[str, Any]) -> Caller | Answer:
    """Who sends a request with the head ``environ``, or the plugin's answer to those who have not logged in."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.server import app

    noted: list[Caller] = []
    token, loading = _noted.set(noted), _loaded.set({})
    try:
        with app.request_context(_behind_proxies(app, environ)):
            answer = app.preprocess_request()
            if answer is None and noted:
                return noted[0]
            if answer is None:
                raise RefusedError("log in first", status=401, error_code="UNAUTHENTICATED")
            response = app.finalize_request(answer)
            headers = tuple(
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers
            )
            return Answer(response.status_code, headers, response.get_data())
    finally:
        _noted.reset(token)
        _loaded.reset(loading)


def _behind_proxies(app: Any, environ: dict[str, Any]) -> dict[str, Any]:
    """``environ`` as the plugin's middleware for proxies leaves it."""
    from werkzeug.middleware.proxy_fix import ProxyFix

    if isinstance(app.wsgi_app, ProxyFix):
        proxy = copy.copy(app.wsgi_app)
        proxy.app = lambda *_: []
        proxy(environ, lambda *_: None)
    return environ
