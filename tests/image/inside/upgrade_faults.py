"""How an upgrade of MLflow's own asks the database; imports MLflow when it is called."""

from pathlib import Path

from statements import Statements

NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 600)"
SPANS = (
    "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (1, 'one', 'active')",
    "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status) VALUES ('tr-1', 1, 1, 'OK')",
    f"{NUMBERS} INSERT INTO spans (trace_id, experiment_id, span_id, status, start_time_unix_nano,"  # noqa: S608
    " end_time_unix_nano, content, dimension_attributes)"
    """ SELECT 'tr-1', 1, n, 'OK', n, n, '{}', '{"mlflow.llm.model": "one"}' FROM numbers""",
)


def pages_of_spans(statements: Statements) -> list[str]:
    """Statements by which revision 75868b020152 goes from page to page of a database with 600 spans."""
    import sqlalchemy
    from alembic.command import upgrade
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base

    uri = f"sqlite:///{Path.cwd()}/earlier.db"
    engine, config, revision = sqlalchemy.create_engine(uri), _get_alembic_config(uri), "75868b020152"
    Base.metadata.create_all(engine)
    upgrade(config, ScriptDirectory.from_config(config).get_revision(revision).down_revision)
    with engine.begin() as connection:
        for statement in SPANS:
            connection.exec_driver_sql(statement)
    with statements.counting() as seen:
        upgrade(config, revision)
    return [one for one in seen if "FROM spans" in one and "spans.span_id > ?" in one]
