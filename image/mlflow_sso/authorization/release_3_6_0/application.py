"""Puts the engine in front of MLflow's application with the plugin's."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mlflow_sso.asgi import Application
from mlflow_sso.authorization.decision import AskedField, Decision
from mlflow_sso.authorization.listing import limit_statements
from mlflow_sso.authorization.locations import ALLOWED_LOCATIONS, DESTINATION, Locations
from mlflow_sso.authorization.middleware import AuthorizationMiddleware
from mlflow_sso.authorization.objects import Objects
from mlflow_sso.authorization.read_only import is_read_only
from mlflow_sso.authorization.release_3_6_0 import TABLE
from mlflow_sso.authorization.release_3_6_0.backend import PluginBackend
from mlflow_sso.authorization.release_3_6_0.key_login import KeyLogin
from mlflow_sso.authorization.release_3_6_0.login import authenticate_once, log_in
from mlflow_sso.authorization.release_3_6_0.permission_lists import answer_from_all_grants
from mlflow_sso.authorization.release_3_6_0.permissions import PluginPermissions
from mlflow_sso.authorization.remembering import Remembered
from mlflow_sso.authorization.stored_locations import judge_stored_locations
from mlflow_sso.patches.access_keys import VerifiedKeys
from mlflow_sso.patches.mlflow_3_6_0 import row_reads


def guard(application: Application, *, keys: VerifiedKeys) -> Application:
    """Serve of ``application`` what the table knows, to those who may; its stores must be open."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.store import store

    remembered = Remembered()
    permissions = _permissions(remembered)
    authenticate_once()
    answer_from_all_grants(permissions)
    limit_statements(every_link=False)
    row_reads.read_together()
    destination = os.environ[DESTINATION]
    judge_stored_locations(destination)
    key_login = KeyLogin(store.engine, keys)
    decision = _decision(permissions, remembered, destination)
    return AuthorizationMiddleware(
        TABLE,
        PluginBackend(application, log_in=log_in, key_login=key_login, decision=decision),
        read_only=is_read_only(os.environ),
    )


def _permissions(remembered: Remembered) -> PluginPermissions:
    from mlflow.server.handlers import _get_model_registry_store, _get_tracking_store
    from mlflow_oidc_auth.config import config
    from mlflow_oidc_auth.store import store

    tracking, registry = _get_tracking_store().ManagedSessionMaker, _get_model_registry_store().ManagedSessionMaker
    return PluginPermissions(store=store, config=config, tracking=tracking, registry=registry, remembered=remembered)


def _decision(permissions: PluginPermissions, remembered: Remembered, destination: str) -> Decision:
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.server.handlers import _get_tracking_store

    return Decision(
        TABLE,
        permissions=permissions,
        objects=Objects(_get_tracking_store().ManagedSessionMaker, remembered=remembered, destination=destination),
        locations=Locations(os.environ.get(ALLOWED_LOCATIONS, "").split(), destination=destination),
        graphql=_graphql,
    )


def _graphql(payload: Mapping[str, Any]) -> Sequence[AskedField]:
    from mlflow.server.graphql.graphql_schema_extensions import schema

    from mlflow_sso.authorization.graphql import asked_fields

    return asked_fields(payload, schema.graphql_schema)
