"""Reads when an access key expires without writing it: for the release that changes the row at each request.

mlflow-oidc-auth 5.6.1 marks the stored expiry as UTC in the row itself, which SQLAlchemy then writes back: a write and
a row lock a request, and where the database's time zone is not UTC the expiry moves by the difference each time.
"""

from datetime import UTC
from typing import Any


def read_expiry_as_utc() -> None:
    """Give each row's expiry its time zone when it is loaded, so that the plugin has nothing left to change."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.db.models import SqlUser
    from sqlalchemy import event

    event.listen(SqlUser, "load", _with_time_zone)
    event.listen(SqlUser, "refresh", _with_time_zone)


def _with_time_zone(user: Any, *_: Any) -> None:
    from sqlalchemy.orm.attributes import set_committed_value

    expiry = user.__dict__.get("password_expiration")
    if expiry is not None and expiry.tzinfo is None:
        set_committed_value(user, "password_expiration", expiry.replace(tzinfo=UTC))
