"""What the databases hold, as one value a table: equal as long as no row changes."""

from collections.abc import Mapping

PASSING = frozenset({"user_tokens", "auth_sessions", "users"})
"""Tables whose rows note when a user was seen."""


def digest() -> Mapping[str, str]:
    """Value by name of the table, of MLflow's database and of the plugin's."""
    from mlflow.server.handlers import _get_tracking_store
    from mlflow_oidc_auth.store import store

    found: dict[str, str] = {}
    for session in (_get_tracking_store().ManagedSessionMaker, store.ManagedSessionMaker):
        with session() as opened:
            found |= _tables(opened)
    return found


def _tables(session: object) -> dict[str, str]:
    from sqlalchemy import text

    run = session.execute  # type: ignore[attr-defined]
    names = [name for (name,) in run(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))]
    return {
        name: str(run(text(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{name}\" t")).scalar())  # noqa: S608
        for name in names
        if name not in PASSING
    }


OWNERS = {
    "experiment_id": "experiment",
    "run_uuid": "run",
    "run_id": "run",
    "request_id": "trace",
    "trace_id": "trace",
    "model_id": "logged_model",
    "dataset_id": "dataset",
    "queue_id": "review_queue",
    "source_id": "",
    "destination_id": "",
    "name": "",
}
"""What the columns name that say to what a row belongs; empty where it may be any of them."""


def rows_of(names: Mapping[str, str]) -> Mapping[str, list[str]]:
    """By table, the rows that belong to the things called ``names``."""
    from mlflow.server.handlers import _get_tracking_store
    from mlflow_oidc_auth.store import store
    from sqlalchemy import text

    found: dict[str, list[str]] = {}
    columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    wanted = list(names.values())
    for opened in (_get_tracking_store().ManagedSessionMaker, store.ManagedSessionMaker):
        with opened() as session:
            for table, column in session.execute(text(columns)).all():
                if column in OWNERS:
                    values = [names[OWNERS[column]]] if OWNERS[column] in names else wanted
                    query = text(f'SELECT t::text FROM "{table}" t WHERE t."{column}"::text = ANY(:names)')  # noqa: S608
                    rows = sorted(row for (row,) in session.execute(query, {"names": values}))
                    found[f"{table}.{column}"] = rows
    return found
