"""The faster revision 75868b020152 of release 3.17.2 does what MLflow's own does."""

from collections.abc import Callable
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from pod import Pod

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)]

TRACES = 3000

UPGRADE = """
import os, sys, sqlalchemy
from alembic.command import upgrade
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base
uri = os.environ["MLFLOW_BACKEND_STORE_URI"]
Base.metadata.create_all(sqlalchemy.create_engine(uri))
upgrade(_get_alembic_config(uri), sys.argv[1])
"""

SEED: tuple[LiteralString, ...] = (
    "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (1, 'one', 'active')",
    "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status)"
    " SELECT 'tr-' || md5(n::text), 1, n, 'OK' FROM generate_series(1, %(traces)s) AS n",
    "INSERT INTO trace_tags (key, value, request_id)"
    # Beside each key that the revision moves is one that has to stay as it is.
    " SELECT key, 'name ' || timestamp_ms, request_id"
    " FROM trace_info, (VALUES ('mlflow.traceName'), ('mine')) AS keys (key)",
    "INSERT INTO trace_request_metadata (key, value, request_id) SELECT key, value, request_id FROM trace_info, LATERAL"
    " (VALUES ('mlflow.trace.session', 'session ' || timestamp_ms %% 9), ('mine', 'kept'),"
    " ('mlflow.trace.tokenUsage', json_build_object('input_tokens', timestamp_ms)::text)) AS made (key, value)",
    "INSERT INTO trace_metrics (request_id, key, value)"
    " SELECT request_id, key, timestamp_ms FROM trace_info, (VALUES ('output_tokens'), ('mine')) AS keys (key)",
    "INSERT INTO spans (trace_id, experiment_id, span_id, name, type, status, start_time_unix_nano, end_time_unix_nano,"
    " content, dimension_attributes) SELECT request_id, 1, md5(request_id || n), 'span', 'LLM', 'OK', n, n + 1, '{}',"
    " CASE n WHEN 1 THEN json_build_object('mlflow.llm.model', 'model ' || timestamp_ms %% 7) END"
    " FROM trace_info, generate_series(1, 3) AS n",
    "INSERT INTO span_metrics (trace_id, span_id, key, value)"
    " SELECT trace_id, span_id, key, 0.5 FROM spans, (VALUES ('total_cost'), ('mine')) AS keys (key)"
    " WHERE start_time_unix_nano = 1",
    "INSERT INTO assessments (assessment_id, trace_id, name, assessment_type, value, created_timestamp,"
    " last_updated_timestamp, source_type, valid)"
    " SELECT 'a-' || request_id, request_id, 'good', 'feedback', 'true', 1, 1, 'HUMAN', true FROM trace_info",
    "ANALYZE",
)

TABLES: tuple[LiteralString, ...] = (
    "trace_info",
    "trace_tags",
    "trace_request_metadata",
    "trace_metrics",
    "spans",
    "span_metrics",
    "assessments",
)


@pytest.fixture
def before(make_pod: Callable[..., Pod]) -> Pod:
    """A tracking database just before the revision, with traces."""
    pod = make_pod()
    done = pod.script(UPGRADE, "b7e2c1a4d9f3")
    assert done.code == 0, done.stderr
    with psycopg.connect(pod.database.dsn("mlflow"), autocommit=True) as connection:
        for statement in SEED:
            connection.execute(statement, {"traces": TRACES})
    return pod


def contents(pod: Pod) -> dict[str, list[tuple[object, ...]]]:
    """Every row, as text, in order."""
    return {
        table: pod.database.query(
            psycopg.sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1").format(psycopg.sql.Identifier(table)).as_string()
        )
        for table in TABLES
    }


def test_revision_gives_same_rows(before: Pod, tmp_path: Path) -> None:
    original = before.copy(tmp_path)

    ours = before.migrate()
    theirs = original.script(UPGRADE, "head")

    assert (ours.code, theirs.code) == (0, 0), ours.stderr + theirs.stderr
    assert contents(before) == contents(original)


SHAPES = """
import sqlalchemy
from mlflow_sso.patches.mlflow_3_17_2.trace_analytics import _RowComparisons
sa = _RowComparisons()
t = sqlalchemy.table("t", sqlalchemy.column("a"), sqlalchemy.column("b"))
print(sa.or_(t.c.a > 1, sa.and_(t.c.a == 1, t.c.b > 2)))
print(sa.or_(t.c.a > 1, sa.and_(t.c.a == 2, t.c.b > 2)))
print(sa.or_(t.c.a > 1, sa.and_(t.c.b == 1, t.c.b > 2)))
print(sa.or_(t.c.a > 1, t.c.b > 2))
"""


def test_row_comparison_replaces_only_its_like(make_pod: Callable[..., Pod]) -> None:
    done = make_pod().script(SHAPES)

    assert done.code == 0, done.stderr
    first, *others = done.stdout.splitlines()
    assert first.startswith("(t.a, t.b) > (")
    assert all(" OR " in other for other in others)
