"""What doctor's checks of the cluster say of ``dist/production`` on an API server of the tests."""

from collections.abc import Mapping
from pathlib import Path

from healthy_cluster import PRODUCTION

from cdk8s_mlflow.settings import Settings, load
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.doctor.checks import capacity, delivery, ingress, operators, workloads
from mlflow_bootstrap.doctor.cluster_reader import ClusterReader
from mlflow_bootstrap.doctor.committed import committed
from mlflow_bootstrap.doctor.examination import Check, Examination
from mlflow_bootstrap.doctor.line import Line
from mlflow_bootstrap.doctor.run import examine
from mlflow_bootstrap.doctor.web import Web

ROOT = Path(__file__).parents[2]
SETTINGS = load(ROOT / "environments/production.yaml")
MANIFESTS = committed(PRODUCTION)
NO_WEB = Web(environ={})
JOB = MANIFESTS.of_kind("Job")[0]
DEPLOYMENT = MANIFESTS.of_kind("Deployment")[0]
KUSTOMIZATION = next(i for i in MANIFESTS.delivery["flux"] if i["metadata"]["name"].endswith("application"))
SOURCE = next(i for i in MANIFESTS.delivery["flux"] if i["kind"] == "GitRepository")
CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        operators.api_server,
        operators.kinds,
        operators.operators,
        operators.secret_store,
        operators.issuer,
        operators.database_cluster,
        ingress.ingress_class,
        ingress.middlewares,
        ingress.read_timeout,
        capacity.quotas,
        capacity.limit_ranges,
        delivery.delivery,
        delivery.objects,
        delivery.external_secrets,
        delivery.databases,
        workloads.migration,
        workloads.server,
        workloads.cron_jobs,
    )
}


def examination(
    settings: Settings = SETTINGS,
    *,
    name: str = "production",
    environ: Mapping[str, str] | None = None,
    web: Web = NO_WEB,
) -> Examination:
    """Of ``settings`` beside what is committed of production, with the credentials of ``environ``."""
    return Examination(
        name=name,
        settings=settings,
        committed=MANIFESTS,
        cluster=ClusterReader(settings),
        credentials=Credentials(environ=environ or {}, ask=None),
        web=web,
    )


def look(*names: str, settings: Settings = SETTINGS) -> dict[str, Line]:
    # 60 seconds are for a loaded machine; a check that hangs has a test of its own.
    """The lines of the named checks, or of all, by their name."""
    chosen = {name: CHECKS[name] for name in names or CHECKS}
    return {line.name: line for line in examine(examination(settings), chosen, seconds=60)}


def asked(settings: Settings, check: Check, **environ: str) -> list[Line]:
    """The lines of one check."""
    return examine(examination(settings, name="site", environ=environ), {"asked": check}, seconds=60)
