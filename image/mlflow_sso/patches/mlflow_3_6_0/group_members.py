"""Lists a group's members by their names.

mlflow-oidc-auth 5.6.1 hands objects of its own to ``jsonify``, which cannot write them: 500 for each group that has a
member. The page of groups and release 3.17.2 know a member by name and by whether it is an administrator.
"""

from typing import Any


def list_members_by_name() -> None:
    """Answer with what 3.17.2 tells of a member."""
    # Importing MLflow takes seconds, which only the server spends.
    from flask import jsonify
    from mlflow.server.handlers import catch_mlflow_exception
    from mlflow_oidc_auth.app import app
    from mlflow_oidc_auth.store import store

    def get_group_users(group_name: str) -> Any:
        members = store.get_group_users(group_name)
        return jsonify({"users": [{"username": one.username, "is_admin": one.is_admin} for one in members]})

    app.view_functions[get_group_users.__name__] = catch_mlflow_exception(get_group_users)
