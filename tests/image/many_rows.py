"""Fills databases with as many rows as a company has after years, by statements that run on the server.

Experiments are numbered; what belongs to one bears its number, so that any part can be added later.
"""

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from pod import Database


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How many rows; ``after`` experiments and models that already exist."""

    experiments: int
    after: int = 0
    runs: int = 1
    """In each experiment, with 5 parameters and 5 tags each."""
    metrics: int = 2
    """Of each run."""
    traces: int = 1
    """In each experiment."""
    versions: int = 2
    """Of each registered model, of which there are as many as experiments; every third is a prompt."""
    users: int = 10
    """Each with grants on ``granted`` experiments."""
    granted: int = 10

    @property
    def numbers(self) -> str:
        return f"generate_series({self.after + 1}, {self.after + self.experiments}) AS e"


TRACKING: tuple[LiteralString, ...] = (
    "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)"
    " SELECT e, 'team-' || e % 10 || '/experiment-' || e, 'mlflow-artifacts:/' || e, 'active', e, e FROM {numbers}",
    "INSERT INTO experiment_tags (experiment_id, key, value) SELECT e, 'owner', 'team-' || e % 10 FROM {numbers}",
    "INSERT INTO runs (run_uuid, name, experiment_id, artifact_uri, lifecycle_stage, status, start_time, user_id)"
    " SELECT id, 'run-' || n, e, 'mlflow-artifacts:/' || e || '/' || id || '/artifacts', 'active', 'FINISHED', e + n,"
    " 'anna' FROM {numbers}, generate_series(1, {runs}) AS n, LATERAL (SELECT md5(e || '/' || n) AS id) AS ids",
    "INSERT INTO params (key, value, run_uuid) SELECT 'param-' || p, 'value', md5(e || '/' || n)"
    " FROM {numbers}, generate_series(1, {runs}) AS n, generate_series(1, 5) AS p",
    "INSERT INTO tags (key, value, run_uuid) SELECT 'tag-' || t, 'value', md5(e || '/' || n)"
    " FROM {numbers}, generate_series(1, {runs}) AS n, generate_series(1, 5) AS t",
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
    " SELECT 'metric-' || m % 10, m, m, md5(e || '/' || n), m / 10, false"
    " FROM {numbers}, generate_series(1, {runs}) AS n, generate_series(1, {metrics}) AS m",
    "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan)"
    " SELECT 'metric-' || m, m, m, md5(e || '/' || n), m, false"
    " FROM {numbers}, generate_series(1, {runs}) AS n, generate_series(1, least({metrics}, 10)) AS m",
    "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,"
    " last_updated_timestamp_ms, status, lifecycle_stage, source_run_id) SELECT 'm-' || md5('model ' || e), e,"
    " 'model-' || e, 'mlflow-artifacts:/' || e || '/models/m-' || md5('model ' || e) || '/artifacts', e, e, 2,"
    " 'active', md5(e || '/1') FROM {numbers}",
    "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status)"
    " SELECT 'tr-' || md5('trace ' || e || '/' || t), e, t, 5, 'OK'"
    " FROM {numbers}, generate_series(1, {traces}) AS t",
    "INSERT INTO trace_tags (key, value, request_id) SELECT 'mlflow.artifactLocation',"
    " 'mlflow-artifacts:/' || e || '/traces/tr-' || md5('trace ' || e || '/' || t) || '/artifacts',"
    " 'tr-' || md5('trace ' || e || '/' || t) FROM {numbers}, generate_series(1, {traces}) AS t",
    "INSERT INTO evaluation_datasets (dataset_id, name, digest, created_time, last_update_time)"
    " SELECT 'd-' || md5('data set ' || e), 'set-' || e, 'digest', e, e FROM {numbers}",
    "INSERT INTO entity_associations"
    " (association_id, source_type, source_id, destination_type, destination_id, created_time)"
    " SELECT 'a-' || md5('link ' || e), 'evaluation_dataset', 'd-' || md5('data set ' || e), 'experiment', e::text, e"
    " FROM {numbers}",
    "INSERT INTO scorers (experiment_id, scorer_name, scorer_id)"
    " SELECT e, 'scorer-' || e, md5('scorer ' || e) FROM {numbers}",
    "INSERT INTO scorer_versions (scorer_id, scorer_version, serialized_scorer, creation_time)"
    " SELECT md5('scorer ' || e), 1, '{{}}', e FROM {numbers}",
    "INSERT INTO registered_models (name, creation_time, last_updated_time)"
    " SELECT 'team-' || e % 10 || '.model-' || e, e, e FROM {numbers}",
    "INSERT INTO registered_model_tags (name, key, value)"
    " SELECT 'team-' || e % 10 || '.model-' || e, 'mlflow.prompt.is_prompt', 'true' FROM {numbers} WHERE e % 3 = 0",
    "INSERT INTO registered_model_aliases (name, alias, version)"
    " SELECT 'team-' || e % 10 || '.model-' || e, 'champion', 1 FROM {numbers}",
    "INSERT INTO model_versions"
    " (name, version, creation_time, last_updated_time, current_stage, source, run_id, status)"
    " SELECT 'team-' || e % 10 || '.model-' || e, v, e, e, 'None', 'mlflow-artifacts:/' || e || '/models/m/artifacts',"
    " md5(e || '/1'), 'READY' FROM {numbers}, generate_series(1, {versions}) AS v",
    "SELECT setval(pg_get_serial_sequence('experiments', 'experiment_id'),"
    " (SELECT max(experiment_id) FROM experiments))",
    "ANALYZE",
)
"""``setval`` lets MLflow go on with the next number."""

GRANTS: tuple[LiteralString, ...] = (
    "INSERT INTO {kind}_permissions ({key}, user_id, permission)"
    " SELECT {text}, id, 'READ' FROM users, {numbers} WHERE username = 'bert@example.com'",
    "INSERT INTO {kind}_permissions ({key}, user_id, permission)"
    " SELECT {text}, id, 'READ' FROM users, {numbers} WHERE username = 'carl@example.com' AND e = 1",
    "INSERT INTO {kind}_permissions ({key}, user_id, permission) SELECT DISTINCT {text}, id, 'EDIT'"
    " FROM {numbers}, users, generate_series(1, {granted}) AS g"
    " WHERE username LIKE 'user-%' AND e = {after} + 1 + (id * 7919 + g * 104729) % {experiments}",
    "INSERT INTO {kind}_group_permissions ({key}, group_id, permission)"
    " SELECT {text}, id, 'READ' FROM groups, {numbers} WHERE group_name = 'everything'",
)
KINDS = (
    ("experiment", "experiment_id", "e::text"),
    ("registered_model", "name", "'team-' || e % 10 || '.model-' || e"),
)
PATTERNS: tuple[LiteralString, ...] = (
    "INSERT INTO groups (group_name) VALUES ('everything'), ('team-1')",
    "INSERT INTO user_groups (user_id, group_id) SELECT users.id, groups.id FROM users, groups"
    " WHERE (username, group_name) IN (('emil@example.com', 'everything'), ('fred@example.com', 'team-1'))",
    "INSERT INTO experiment_regex_permissions (regex, priority, user_id, permission)"
    " SELECT regex, n, id, permission FROM users, (VALUES ('team-1/.*', 1, 'READ'), ('.*7$', 2, 'READ')) AS p"
    " (regex, n, permission) WHERE username = 'dora@example.com'",
    "INSERT INTO registered_model_regex_permissions (regex, priority, user_id, permission, prompt)"
    " SELECT 'team-1[.].*', 1, id, 'READ', prompt FROM users, (VALUES (true), (false)) AS p (prompt)"
    " WHERE username = 'dora@example.com'",
    "INSERT INTO experiment_group_regex_permissions (regex, priority, group_id, permission)"
    " SELECT 'team-1/.*', 1, id, 'READ' FROM groups WHERE group_name = 'team-1'",
    "INSERT INTO registered_model_group_regex_permissions (regex, priority, group_id, permission, prompt)"
    " SELECT 'team-1[.].*', 1, id, 'READ', prompt FROM groups, (VALUES (true), (false)) AS p (prompt)"
    " WHERE group_name = 'team-1'",
    "UPDATE users SET is_admin = true WHERE username = 'anna@example.com'",
)
"""Of those who have keys: bert and emil may read everything, carl one thing, dora and fred what a pattern matches."""


def fill(database: Database, amount: Amount) -> None:
    """Add rows to both databases of a release, in which the usual users are."""
    values = {**vars(amount), "numbers": amount.numbers}
    with psycopg.connect(database.superuser_dsn("mlflow")) as connection:
        # Foreign keys hold by what is inserted; checking them row by row takes most of the time.
        connection.execute("SET session_replication_role = replica")
        for statement in TRACKING:
            connection.execute(statement.format(**values).encode())
    with psycopg.connect(database.dsn("mlflow_auth")) as connection:
        if not amount.after:
            for statement in PATTERNS:
                connection.execute(statement.encode())
        connection.execute(_users(connection, amount).encode())
        for kind, key, text in KINDS:
            for statement in GRANTS:
                connection.execute(statement.format(kind=kind, key=key, text=text, **values).encode())
        # Otherwise the first plans are those for empty tables.
        connection.execute("ANALYZE")


def _users(connection: psycopg.Connection, amount: Amount) -> str:
    """More users, without keys; releases keep keys in another table since 3.17.2."""
    found = connection.execute(
        "SELECT 1 FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'password_hash'"
    ).fetchone()
    columns, values = ("password_hash, ", "'none', ") if found else ("active, ", "true, ")
    return (
        f"INSERT INTO users (username, display_name, {columns}is_admin, is_service_account)"  # noqa: S608
        f" SELECT 'user-' || u || '@example.com', 'user ' || u, {values}false, false"
        f" FROM generate_series({amount.after + 1}, {amount.after + amount.users}) AS u"
    )
