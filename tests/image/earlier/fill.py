"""Creates both databases of an installation of MLflow 3.13 to 3.16 with plugin 7, by their own code.

Run with the interpreter of an environment that has the two packages; the dumps beside this file are what
``pg_dump --no-owner --no-acl --inserts`` then gave::

    python fill.py postgresql+psycopg2://…/tracking postgresql+psycopg2://…/permissions
"""

import os
import sys
import time

TRACKING, PERMISSIONS = sys.argv[1:3]
# The plugin reads its settings when it is imported.
os.environ.update(OIDC_USERS_DB_URI=PERMISSIONS, MLFLOW_TRACKING_URI=TRACKING, SECRET_KEY="a")


def fill_tracking() -> None:
    """Three experiments with three runs each, and three models with a version each."""
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store, registry = SqlAlchemyStore(TRACKING, "mlflow-artifacts:/"), Registry(TRACKING)
    for number in range(3):
        experiment = store.create_experiment(f"experiment {number}")
        for turn in range(3):
            begun = int(time.time() * 1000)
            run = store.create_run(experiment, "ada@example.com", begun, [RunTag("team", "a")], f"run {turn}")
            losses = [Metric("loss", 0.5 / (turn + 1), 1_700_000_000_000 + step, step) for step in range(5)]
            store.log_batch(run.info.run_id, losses, [Param("lr", "0.1")], [])
        registry.create_registered_model(f"model {number}")
        source = f"mlflow-artifacts:/{experiment}/{run.info.run_id}/artifacts/model"
        registry.create_model_version(f"model {number}", source, run.info.run_id)


def fill_permissions() -> None:
    """An administrator, a user with grants and a group, and an access key each."""
    from mlflow_oidc_auth.store import store

    for name, admin in (("ada@example.com", True), ("grace@example.com", False)):
        key = f"correct-horse-battery-{name[:3]}"
        store.create_user(username=name, password=key, display_name=name.split("@")[0], is_admin=admin)
    for experiment, permission in (("1", "MANAGE"), ("2", "READ")):
        store.create_experiment_permission(experiment, "grace@example.com", permission)
    store.create_registered_model_permission("model 0", "grace@example.com", "EDIT")
    store.populate_groups(["mlflow-users"])
    store.set_user_groups("grace@example.com", ["mlflow-users"])
    store.create_group_experiment_permission("mlflow-users", "3", "EDIT")


if __name__ == "__main__":
    fill_tracking()
    fill_permissions()
