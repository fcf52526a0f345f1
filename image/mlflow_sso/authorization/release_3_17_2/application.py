"""Puts the engine into the plugin's application."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mlflow_sso.authorization.decision import AskedField, Decision
from mlflow_sso.authorization.locations import ALLOWED_LOCATIONS, DESTINATION, Locations
from mlflow_sso.authorization.objects import Objects
from mlflow_sso.authorization.release_3_17_2.backend import BehindLogin
from mlflow_sso.authorization.release_3_17_2.bindings import exclude_unreadable_bindings
from mlflow_sso.authorization.release_3_17_2.grants import KINDS, PluginPermissions
from mlflow_sso.authorization.release_3_17_2.joined_traces import join_editable_traces_only
from mlflow_sso.authorization.release_3_17_2.key_login import KeyLogin
from mlflow_sso.authorization.release_3_17_2.lists import exclude_rows_in_statements
from mlflow_sso.authorization.release_3_17_2.providers import call_with_stored_keys_only
from mlflow_sso.authorization.release_3_17_2.stored_keys import send_keys_where_they_were_meant_for
from mlflow_sso.authorization.release_3_17_2.table import table
from mlflow_sso.authorization.remembering import Remembered
from mlflow_sso.authorization.stored_locations import judge_stored_locations
from mlflow_sso.patches.mlflow_3_17_2 import row_reads
from mlflow_sso.patches.mlflow_3_17_2.grant_reads import read_grants_together
from mlflow_sso.patches.mlflow_3_17_2.mcp_reads import ask_for_grants_of_servers
from mlflow_sso.patches.mlflow_3_17_2.run_owners import remember_owners


def guard(application: Any, *, key_login: KeyLogin) -> None:
    """Let ``application``, the plugin's of FastAPI, serve what the table knows; it must not have answered yet."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow.environment_variables import MLFLOW_ENABLE_AI_GATEWAY
    from mlflow_oidc_auth.middleware import AuthMiddleware
    from starlette.middleware import Middleware

    exclude_rows_in_statements()
    ask_for_grants_of_servers()
    read_grants_together()
    row_reads.read_together()
    destination = os.environ[DESTINATION]
    judge_stored_locations(destination)
    remembered = Remembered()
    remember_owners(remembered)
    has_gateway = MLFLOW_ENABLE_AI_GATEWAY.get()
    if has_gateway:
        _guard_gateway()
    rows = table(ai_gateway=has_gateway)
    stack = application.user_middleware
    # The list begins with the outermost.
    login = next(place for place, middleware in enumerate(stack) if middleware.cls is AuthMiddleware)
    stack.insert(
        login + 1,
        Middleware(BehindLogin, table=rows, decision=_decision(rows, remembered, destination), key_login=key_login),
    )


def _guard_gateway() -> None:
    # Its modules import numpy, which a server without it does not load (imports.py).
    exclude_unreadable_bindings()
    join_editable_traces_only()
    call_with_stored_keys_only()
    send_keys_where_they_were_meant_for()


def _decision(rows: Any, remembered: Remembered, destination: str) -> Decision:
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.server.handlers import _get_model_registry_store, _get_tracking_store

    tracking, registry = _get_tracking_store().ManagedSessionMaker, _get_model_registry_store().ManagedSessionMaker
    return Decision(
        rows,
        permissions=PluginPermissions(tracking=tracking, registry=registry),
        objects=Objects(tracking, remembered=remembered, destination=destination),
        locations=Locations(os.environ.get(ALLOWED_LOCATIONS, "").split(), destination=destination),
        graphql=_graphql,
        direct=KINDS,
    )


def _graphql(payload: Mapping[str, Any]) -> Sequence[AskedField]:
    from mlflow.server.graphql.graphql_schema_extensions import schema

    from mlflow_sso.authorization.graphql import asked_fields

    return asked_fields(payload, schema.graphql_schema)
