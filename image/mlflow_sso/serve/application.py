"""The ASGI application that every worker runs: importing it opens both stores, so no request ever finds them closed."""

import os

from mlflow_sso.asgi import Application
from mlflow_sso.object_store import blob_folder, google_folder
from mlflow_sso.patches.blob_artifacts import serve_blob_artifacts
from mlflow_sso.patches.busy_pools import count_busy_pools_as_outages
from mlflow_sso.patches.downloads import reserve_room_for_downloads
from mlflow_sso.patches.google_artifacts import serve_google_artifacts
from mlflow_sso.patches.late_url_builders import build_urls_late
from mlflow_sso.patches.mounted_credentials import sign_with_mounted_credentials
from mlflow_sso.patches.nested_sessions import reserve_connections_for_nested_sessions
from mlflow_sso.patches.no_basic_auth import leave_out_basic_auth
from mlflow_sso.patches.recent_connections import trust_recent_connections
from mlflow_sso.patches.unread_input import tell_unread_input
from mlflow_sso.releases import installed
from mlflow_sso.serve import gate
from mlflow_sso.serve.admission import Admission
from mlflow_sso.serve.disk import DiskSpace
from mlflow_sso.serve.event_log import event_log
from mlflow_sso.serve.metrics import hide_from_public_port
from mlflow_sso.serve.private_answers import PrivateAnswers
from mlflow_sso.serve.realm_outages import RealmOutages, realm_answers
from mlflow_sso.serve.refusals import refusals
from mlflow_sso.serve.request_ids import trusted_networks
from mlflow_sso.serve.request_metrics import RequestMetrics
from mlflow_sso.serve.return_address import SafeReturns
from mlflow_sso.serve.steady_refusals import SteadyRefusals
from mlflow_sso.serve.typed_variables import number

ATTEMPTS = 5


def open_application() -> Application:
    """Open the tracking, registry and auth stores, then take the plugin's application.

    Alembic, which each store asks for its schema at first use, is not thread-safe: of the first concurrent requests of
    a server that opens its stores on demand, half fail.
    """
    # Before what turns a pool's time-out into an outage.
    reserve_connections_for_nested_sessions()
    count_busy_pools_as_outages()
    trust_recent_connections()
    leave_out_basic_auth()
    leave_schema_alone()
    build_urls_late()
    open_stores()
    share_tracking_store()
    application = installed().open_application()
    tell_unread_input()
    hide_from_public_port()
    realm = realm_answers(os.environ.get("OIDC_DISCOVERY_URL", ""))
    application = SteadyRefusals(RealmOutages(SafeReturns(application), answers=realm))
    refusals.expose()
    serve_artifacts()
    room = number(os.environ, "MLFLOW_SSO_TEMPORARY_SPACE")
    admission = Admission(
        application,
        maximum_body=number(os.environ, "MLFLOW_SSO_MAXIMUM_BODY_SIZE"),
        space=DiskSpace(room or None),
    )
    log = event_log(os.environ)
    return RequestMetrics(
        PrivateAnswers(admission),
        trusted=trusted_networks(os.environ.get("TRUSTED_PROXIES", "")),
        log=log,
        probed=log.probe if log else None,
    )


def serve_artifacts() -> None:
    """Let MLflow reach the store of ``MLFLOW_ARTIFACTS_DESTINATION`` as it is mounted, within the room there is."""
    reserve_room_for_downloads()
    destination = os.environ.get("MLFLOW_ARTIFACTS_DESTINATION", "")
    if blob_folder(destination):
        serve_blob_artifacts()
    if google_folder(destination):
        serve_google_artifacts()
    if "AWS_SHARED_CREDENTIALS_FILE" in os.environ:
        sign_with_mounted_credentials(os.environ["AWS_SHARED_CREDENTIALS_FILE"])


def leave_schema_alone() -> None:
    """Let a store that opens create no tables and apply no revision: ``migrate`` does, and the start has compared.

    MLflow 3.6.0 takes every migrated database for a new one, because it has more tables than a list in
    ``_all_tables_exist``, and looks through all revisions at each start, once a store.
    """
    from mlflow.store.db import utils
    from mlflow.store.model_registry import sqlalchemy_store

    utils._initialize_tables = _nothing
    # 3.17.2 has taken it by name.
    if hasattr(sqlalchemy_store, "_initialize_tables"):
        sqlalchemy_store._initialize_tables = _nothing


def _nothing(_: object) -> None:
    """Stands for the creation of tables."""


def open_stores() -> None:
    """Open MLflow's stores; the first servers of a new database race for creating the experiment ``Default``."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.exceptions import MlflowException
    from mlflow.server.handlers import initialize_backend_stores

    gate.wait()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            initialize_backend_stores()
            return
        except MlflowException as error:
            if attempt == ATTEMPTS or "UniqueViolation" not in str(error):
                raise


def share_tracking_store() -> None:
    """Let MLflow's client inside the server, which the registry asks for a logged model, use the store that is open.

    It would open the database once more, with a pool of its own and a migration at the first request, and create a
    folder for artifacts in the working directory, which is read-only.
    """
    from mlflow.server.handlers import _get_tracking_store
    from mlflow.tracking._tracking_service.utils import _tracking_store_registry
    from mlflow.utils.uri import get_uri_scheme

    store = _get_tracking_store()
    scheme = get_uri_scheme(os.environ["MLFLOW_BACKEND_STORE_URI"])
    _tracking_store_registry.register(scheme, lambda store_uri=None, artifact_uri=None, **_: store)


app = open_application()
