"""Puts the engine into the plugin's application."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mlflow_sso.authorization.decision import AskedField, Decision
from mlflow_sso.authorization.locations import ALLOWED_LOCATIONS, Locations
from mlflow_sso.authorization.objects import Objects
from mlflow_sso.authorization.release_3_17_2.backend import BehindLogin
from mlflow_sso.authorization.release_3_17_2.grants import PluginPermissions
from mlflow_sso.authorization.release_3_17_2.table import table


def guard(application: Any) -> None:
    """Let ``application``, the plugin's of FastAPI, serve what the table knows; it must not have answered yet."""
    from mlflow.environment_variables import MLFLOW_ENABLE_AI_GATEWAY
    from mlflow_oidc_auth.middleware import AuthMiddleware
    from starlette.middleware import Middleware

    rows = table(ai_gateway=MLFLOW_ENABLE_AI_GATEWAY.get())
    stack = application.user_middleware
    # The list begins with the outermost.
    login = next(place for place, middleware in enumerate(stack) if middleware.cls is AuthMiddleware)
    stack.insert(login + 1, Middleware(BehindLogin, table=rows, decision=_decision(rows)))


def _decision(rows: Any) -> Decision:
    from mlflow.server.handlers import _get_tracking_store

    return Decision(
        rows,
        permissions=PluginPermissions(),
        objects=Objects(_get_tracking_store().ManagedSessionMaker),
        locations=Locations(os.environ.get(ALLOWED_LOCATIONS, "").split()),
        graphql=_graphql,
    )


def _graphql(payload: Mapping[str, Any]) -> Sequence[AskedField]:
    from mlflow.server.graphql.graphql_schema_extensions import schema

    from mlflow_sso.authorization.graphql import asked_fields

    return asked_fields(payload, schema.graphql_schema)
