"""The authority of PostgreSQL's certificate: as the operator hands it over, else as CloudNativePG's Secret has it."""

from collections.abc import Mapping

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.errors import BootstrapError

FIELD = ("postgres", "ca_crt")


def secret_name(settings: Settings) -> str:
    """The Secret that CloudNativePG makes for a Cluster; ``ca.key`` stands beside ``ca.crt`` and is never taken.

    Source: CloudNativePG documentation, "Certificates".
    """
    return f"{settings.database.cluster}-ca"


def copied_values(settings: Settings, credentials: Credentials) -> Mapping[tuple[str, str], str]:
    """``ca.crt`` as it is now, so that a renewed one is drift; empty if it cannot be had.

    A cluster is asked only where the settings or the pod that we run in say which: another cluster's authority in the
    store would shut MLflow out.
    """
    if not settings.database.uses_stored_ca:
        return {}
    if given := credentials.given("MLFLOW_POSTGRES_CA_CRT"):
        return {FIELD: given.get_secret_value()}
    if settings.database.host is not None or not knows_cluster(settings, credentials):
        return {}
    # Each store's client library is loaded only if the settings choose that store.
    from mlflow_bootstrap.store.cluster import Cluster

    try:
        found = Cluster(settings).read(settings.database.cluster_namespace, secret_name(settings))
    # The operator may hand the authority over in another way, or need none.
    except BootstrapError:
        return {}
    text = found.data.get("ca.crt") if found else None
    return {FIELD: text} if text else {}


def knows_cluster(settings: Settings, credentials: Credentials) -> bool:
    """Whether the settings, or the pod that we run in, say which cluster is meant."""
    return (
        settings.bootstrap.kube_context is not None
        or settings.secrets.mode == "kubernetes"
        or "KUBERNETES_SERVICE_HOST" in credentials.environ
    )
