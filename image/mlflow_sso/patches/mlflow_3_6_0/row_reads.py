"""What MLflow 3.6.0 and mlflow-oidc-auth 5.6.1 read row by row."""

from typing import Any

from mlflow_sso.patches.row_reads import read_rows_together
from mlflow_sso.patches.user_lists import read_users_together


def read_together() -> None:
    """What a page shows of each registered model, logged model and trace, and the permissions of all users."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlRegisteredModel
    from mlflow.store.tracking.dbmodels.models import SqlLoggedModel, SqlScorerVersion, SqlTraceInfo
    from sqlalchemy.orm import configure_mappers, selectinload

    # Relationships from the other side exist from then on.
    configure_mappers()
    versions = selectinload(SqlRegisteredModel.model_versions)
    read_rows_together(
        of_pages={
            SqlRegisteredModel: (
                versions.selectinload(SqlModelVersion.model_version_tags),
                selectinload(SqlRegisteredModel.registered_model_aliases),
            ),
            SqlLoggedModel: _each(SqlLoggedModel, "tags", "params", "metrics"),
            SqlTraceInfo: _each(SqlTraceInfo, "tags", "request_metadata", "assessments"),
        },
        always={SqlScorerVersion: (selectinload(SqlScorerVersion.scorer),)},
    )
    read_users_together()


def _each(rows: Any, *relationships: str) -> tuple[Any, ...]:
    # sqlalchemy is loaded with MLflow anyway; the programs that do without MLflow do without it, too.
    from sqlalchemy.orm import selectinload

    return tuple(selectinload(getattr(rows, name)) for name in relationships)
