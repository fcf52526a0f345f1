"""What MLflow 3.17.2 reads row by row."""

from mlflow_sso.patches.row_reads import read_rows_together
from mlflow_sso.patches.user_lists import read_users_together


def read_together() -> None:
    """The experiment of each scorer, which every reader of a version wants, and the permissions of all users."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.store.tracking.dbmodels.models import SqlScorerVersion
    from sqlalchemy.orm import selectinload

    read_rows_together(of_pages={}, always={SqlScorerVersion: (selectinload(SqlScorerVersion.scorer),)})
    read_users_together()
