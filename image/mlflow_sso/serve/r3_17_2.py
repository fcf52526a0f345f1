"""Serving MLflow 3.17.2 with mlflow-oidc-auth 11.0.2."""

import os
from collections.abc import Mapping
from uuid import uuid4

from mlflow_sso.serve.flavour import Application, Flavour, switched_on


def _private_variables() -> Mapping[str, str]:
    return {
        "_MLFLOW_SGI_NAME": "uvicorn",
        "_MLFLOW_SERVER_BOOT_ID": uuid4().hex,
        "_MLFLOW_IN_JOB_EXECUTOR": "false",
    }


def _open_application() -> Application:
    from mlflow_oidc_auth.store import store

    store.ping()
    from mlflow_oidc_auth import app

    from mlflow_sso.serve.threads import ThreadForEachRequest

    application = ThreadForEachRequest(app.app)

    if switched_on(os.environ, "MLFLOW_SSO_BEARER_ACCESS_KEYS"):
        from mlflow_sso.serve.bearer_keys import BearerAccessKeys

        return BearerAccessKeys(application)
    return application


FLAVOUR = Flavour(
    applications=("oidc-auth",),
    permissions=("READ", "USE", "EDIT", "MANAGE", "NO_PERMISSIONS"),
    private_variables=_private_variables,
    open_application=_open_application,
)
