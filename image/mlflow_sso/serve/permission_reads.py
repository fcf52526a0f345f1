"""Reads what a decision about a request needs, once and nothing else: for the release that writes and repeats instead.

At each request with an access key, mlflow-oidc-auth 5.6.1 marks the stored expiry as UTC in the row itself, which
SQLAlchemy then writes back: a write and a row lock a request, and where the database's time zone is not UTC the expiry
moves by the difference each time. While it decides about one request it also reads the whole user three times, with
everything that was ever granted to him, to learn whether he is an administrator, and the whole run, metrics and inputs
included, to learn its experiment. What is decided stays the plugin's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC
from types import SimpleNamespace
from typing import Any

_seen: ContextVar[dict[str, Any] | None] = ContextVar("users_seen_in_this_check", default=None)


def read_expiry_as_utc() -> None:
    """Give each row's expiry its time zone when it is loaded, so that the plugin has nothing left to change."""
    from mlflow_oidc_auth.db.models import SqlUser
    from sqlalchemy import event

    event.listen(SqlUser, "load", _with_time_zone)
    event.listen(SqlUser, "refresh", _with_time_zone)


def _with_time_zone(user: Any, *_: Any) -> None:
    from sqlalchemy.orm.attributes import set_committed_value

    expiry = user.__dict__.get("password_expiration")
    if expiry is not None and expiry.tzinfo is None:
        set_committed_value(user, "password_expiration", expiry.replace(tzinfo=UTC))


def read_users_once_a_check() -> None:
    """Let the hook that decides about a request, and nothing else, reuse a user that it has just read."""
    from mlflow.server import app
    from mlflow_oidc_auth.hooks import before_request_hook
    from mlflow_oidc_auth.store import store

    store.get_user = _reusing(store.get_user, lambda username: _user(store, username))
    hooks = app.before_request_funcs[None]
    hooks[hooks.index(before_request_hook)] = _checking(before_request_hook)


def _reusing(get_user: Callable[[str], Any], get_user_for_a_check: Callable[[str], Any]) -> Callable[[str], Any]:
    def reused(username: str) -> Any:
        seen = _seen.get()
        if seen is None:
            return get_user(username)
        if username not in seen:
            seen[username] = get_user_for_a_check(username) or get_user(username)
        return seen[username]

    return reused


class UserOfACheck:
    """A user's name and whether he is an administrator; whatever else is asked for is read then."""

    def __init__(self, username: str, is_admin: bool, whole: Callable[[], Any]) -> None:
        self.username, self.is_admin, self._whole = username, is_admin, whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole(), name)


def _user(store: Any, username: str) -> UserOfACheck | None:
    from mlflow_oidc_auth.db.models import SqlUser

    with store.ManagedSessionMaker() as session:
        row = session.query(SqlUser.username, SqlUser.is_admin).filter(SqlUser.username == username).one_or_none()
    return UserOfACheck(row.username, row.is_admin, lambda: store.user_repo.get(username)) if row else None


def _checking(hook: Callable[[], Any]) -> Callable[[], Any]:
    def checked() -> Any:
        with _one_check():
            return hook()

    return checked


@contextmanager
def _one_check() -> Iterator[None]:
    token = _seen.set({})
    try:
        yield
    finally:
        _seen.reset(token)


def read_only_the_experiment_of_a_run() -> None:
    """Let the checks of a run's permission, which is that of its experiment, skip what the run has logged."""
    from mlflow_oidc_auth.validators import run

    run._get_tracking_store = lambda: SimpleNamespace(get_run=_run_with_experiment_alone)


def _run_with_experiment_alone(run_id: str) -> Any:
    from mlflow.server.handlers import _get_tracking_store
    from mlflow.store.tracking.dbmodels.models import SqlRun

    store = _get_tracking_store()
    with store.ManagedSessionMaker() as session:
        experiment = session.query(SqlRun.experiment_id).filter(SqlRun.run_uuid == run_id).scalar()
    if experiment is None:
        return store.get_run(run_id)  # which says in MLflow's words that there is none
    return SimpleNamespace(info=SimpleNamespace(experiment_id=str(experiment)))
