"""What bootstrap prepares: realm, secret store, databases and bucket, compared as ``verify`` does."""

import re
from collections.abc import Iterator
from contextlib import nullcontext
from urllib.parse import urlsplit

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.doctor.examination import Check, Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed, skipped, unknown
from mlflow_bootstrap.engine import Change, Failure, Outcome
from mlflow_bootstrap.errors import RefusedError, UnreachableError, UsageError
from mlflow_bootstrap.run import Run
from mlflow_bootstrap.systems import PARTS, SYSTEMS, PartName

_MEANS: dict[PartName, str] = {
    "secrets": "pods wait for Secrets, or log in with values that are not those of the systems",
    **{system.name: system.means for system in SYSTEMS},
}


def run_of(examined: Examination) -> Run:
    """The bootstrap of this environment, which says nothing and is only asked for plans and values."""

    def unheard(item: Change | Failure) -> None:
        """Its outcome says the same."""

    return Run(
        settings=examined.settings,
        credentials=examined.credentials,
        report=unheard,
        step=lambda title: nullcontext(),
    )


def _prepared(part: PartName) -> Check:
    def check(examined: Examination) -> Iterator[Line]:
        outcome = run_of(examined).plan((part,))
        inside = _inside_address(part, examined.settings)
        unreachable = next((f.error for f in outcome.failures if isinstance(f.error, UnreachableError)), None)
        if inside and unreachable:
            # A workstation need not reach the cluster's Services, and the line of the pod says whether MLflow does.
            yield skipped(f"bootstrap {part}", unreachable.text, do=unreachable.remedy)
        else:
            yield _line(part, outcome, examined.name)

    return check


def _inside_address(part: PartName, settings: Settings) -> bool:
    """Whether the address of a system is that of a Service of the cluster."""
    addresses = {
        "postgres": settings.bootstrap.postgres_host or settings.database.address,
        "minio": urlsplit(settings.bootstrap.s3_endpoint or settings.artifacts.endpoint or "").hostname or "",
    }
    return re.search(r"\.svc(\.|$)", addresses.get(part, "")) is not None


def _line(part: PartName, outcome: Outcome, environment: str) -> Line:
    name, means = f"bootstrap {part}", _MEANS[part]
    errors = [failure.error for failure in outcome.failures]
    usage = next((error for error in errors if isinstance(error, UsageError)), None)
    if usage is not None:
        return skipped(name, usage.text, do=usage.remedy)
    unseen = next((error for error in errors if isinstance(error, (UnreachableError, RefusedError))), None)
    if unseen is not None:
        return unknown(name, unseen.text, do=unseen.remedy)
    if errors:
        return failed(name, "; ".join(str(failure) for failure in outcome.failures), means=means, do=errors[0].remedy)
    if outcome.pending:
        differing = ", ".join(change.address for change in outcome.pending)
        do = f"bootstrap plan {part} --environment {environment} shows the difference; apply it"
        return failed(name, f"not as the settings say: {differing}", means=means, do=do)
    return passed(name, f"{len(outcome.changes)} as the settings say")


PREPARED: dict[str, Check] = {part: _prepared(part) for part in PARTS}
