"""``migrate`` takes over databases of MLflow 3.13 to 3.16 with plugin 7, which ``earlier`` has dumps of."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pod import Pod
from schema_dump import schema_dumps

pytestmark = pytest.mark.servers

EARLIER = Path(__file__).parent / "earlier"
KINDS = {"mlflow": "tracking", "mlflow_auth": "permissions"}

ROWS = {
    "mlflow": (
        "SELECT experiment_id, name, artifact_location FROM experiments",
        "SELECT run_uuid, experiment_id, user_id, name, status, artifact_uri FROM runs",
        "SELECT run_uuid, key, value, step, timestamp FROM metrics",
        "SELECT run_uuid, key, value FROM params",
        "SELECT run_uuid, key, value FROM tags",
        "SELECT name FROM registered_models",
        "SELECT name, version, source, run_id FROM model_versions",
    ),
    "mlflow_auth": (
        "SELECT id, username, display_name, is_admin FROM users",
        "SELECT experiment_id, user_id, permission FROM experiment_permissions",
        "SELECT name, user_id, permission FROM registered_model_permissions",
        "SELECT id, group_name FROM groups",
        "SELECT user_id, group_id FROM user_groups",
        "SELECT experiment_id, group_id, permission FROM experiment_group_permissions",
    ),
}
"""What users would miss."""

LOG_IN = """
from mlflow_oidc_auth.store import store
for name in ("ada@example.com", "grace@example.com"):
    key = f"correct-horse-battery-{name[:3]}"
    print(name, store.authenticate_user(name, key), store.authenticate_user(name, "wrong"))
print(store.get_experiment_permission("2", "grace@example.com").permission)
"""


@pytest.fixture
def earlier(request: pytest.FixtureRequest, make_pod: Callable[..., Pod]) -> Pod:
    """A pod with the databases of an earlier installation, owned by its role."""
    pod = make_pod()
    for service, kind in KINDS.items():
        text = gzip.decompress((EARLIER / f"mlflow-{request.param}.{kind}.sql.gz").read_bytes()).decode()
        with psycopg.connect(pod.database.dsn(service), autocommit=True) as connection:
            # As bytes, for psycopg's types allow no text that is not written in the program.
            connection.execute(text.encode())
    return pod


def rows(pod: Pod) -> dict[str, list[tuple[Any, ...]]]:
    return {query: sorted(pod.database.query(query, service=name)) for name in ROWS for query in ROWS[name]}


def without_casts(pod: Pod) -> list[str]:
    """The schemas, without the casts in constraints that PostgreSQL writes otherwise once it has read a dump."""
    return [
        re.sub(r"::(text|character varying)(\[\])?|[()]", "", line) if "CHECK" in line else line
        for dump in schema_dumps(pod.database)
        for line in dump.splitlines()
    ]


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
@pytest.mark.parametrize("earlier", ["3.13.0-7.3.1", "3.15.0-7.18.0", "3.16.0-7.18.0"], indirect=True)
def test_migrate_takes_over_an_earlier_installation(earlier: Pod, migrated_pod: Pod) -> None:
    before = rows(earlier)

    done = earlier.migrate()
    logged_in = earlier.script(LOG_IN)

    assert [line["action"] for line in done.results] == ["upgraded", "upgraded"], done.stderr
    assert rows(earlier) == before
    assert all(before.values())
    assert without_casts(earlier) == without_casts(migrated_pod)
    assert logged_in.stdout.splitlines() == [
        "ada@example.com True False",
        "grace@example.com True False",
        "READ",
    ], logged_in.stderr
