"""Lets a pool in which no connection became free count as a database that does not answer.

SQLAlchemy raises ``TimeoutError`` after 30 seconds, which MLflow's sessions take for a fault of the request: they
answer 400 (mlflow/store/db/utils.py, ``_get_managed_session_maker``), and a training loop gives up. For
``OperationalError`` they answer 503, and its client tries again.
"""

from typing import Any


def count_busy_pools_as_outages() -> None:
    """Of all engines of this process."""
    # sqlalchemy is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from sqlalchemy import exc
    from sqlalchemy.pool import QueuePool

    get = QueuePool._do_get

    def get_or_fail(pool: Any) -> Any:
        try:
            return get(pool)
        except exc.TimeoutError as error:
            raise exc.OperationalError(None, None, error) from error

    QueuePool._do_get = get_or_fail
