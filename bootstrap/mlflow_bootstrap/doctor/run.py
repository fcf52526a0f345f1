"""Runs all checks at the same time, and ends in time whatever does not answer."""

import threading
import time
from collections.abc import Iterable, Mapping

from mlflow_bootstrap.doctor.checks import (
    capacity,
    delivery,
    ingress,
    inside,
    machine,
    metrics,
    operators,
    prepared,
    public_address,
    registry,
    workloads,
)
from mlflow_bootstrap.doctor.errors import CannotReadError
from mlflow_bootstrap.doctor.examination import Check, Examination
from mlflow_bootstrap.doctor.line import Line, skipped, unknown
from mlflow_bootstrap.errors import BootstrapError, UsageError

SECONDS = 10.0

_SHARED: Mapping[str, Check] = {
    "Kubernetes": operators.api_server,
    "operators": operators.operators,
    "secret store": operators.secret_store,
    "issuer": operators.issuer,
    "database cluster": operators.database_cluster,
    "ingress": ingress.ingress_class,
    "Middlewares": ingress.middlewares,
    "Traefik's readTimeout": ingress.read_timeout,
    "DNS": ingress.names,
    "image": registry.image,
    "realm": public_address.realm,
    **{f"bootstrap {part}": check for part, check in prepared.PREPARED.items()},
}
BEFORE: Mapping[str, Check] = {
    **_SHARED,
    "kinds": operators.kinds,
    "quotas": capacity.quotas,
    "limit ranges": capacity.limit_ranges,
}
"""What has to be right before the first apply, by the name of a line that says why it could not be looked at."""

AFTER: Mapping[str, Check] = {
    **_SHARED,
    "delivery": delivery.delivery,
    "objects": delivery.objects,
    "ExternalSecrets": delivery.external_secrets,
    "databases": delivery.databases,
    "migration": workloads.migration,
    "server": workloads.server,
    "CronJobs": workloads.cron_jobs,
    "certificate": public_address.certificate,
    "public address": public_address.health,
    "without a login": public_address.anonymous,
    "redirect URI": public_address.login,
    "clocks": public_address.clocks,
    "in the pod": inside.inside,
    "machine's token": machine.token,
    "metrics": metrics.scraped,
    "alerts": metrics.alerting,
}
"""What has to be right afterwards."""

WITH_RUN: Mapping[str, Check] = {"run with an artifact": machine.run_and_back}
"""What leaves a trace, and so has to be asked for."""


def examine(examined: Examination, checks: Mapping[str, Check], *, seconds: float = SECONDS) -> list[Line]:
    """The lines of ``checks``, in their order; of one that does not end within ``seconds``, a line that says so."""
    found: dict[str, list[Line]] = {}
    threads = [
        # Daemons: one that hangs does not keep the process from its end.
        threading.Thread(target=_look, args=(name, check, examined, found), daemon=True)
        for name, check in checks.items()
    ]
    for thread in threads:
        thread.start()
    # One end for all: ten checks that hang take as long as one.
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [line for name in checks for line in found.get(name) or [_late(name, seconds)] if line is not _NOTHING]


_NOTHING = Line("", skipped("", "", do="").state, "")
"""Stands for a check that has nothing to look at in this environment."""


def _late(name: str, seconds: float) -> Line:
    return unknown(name, f"no answer within {seconds:.0f} s", do="look at the other lines, and try again")


def _look(name: str, check: Check, examined: Examination, found: dict[str, list[Line]]) -> None:
    lines: list[Line] = []
    try:
        lines += _collected(check(examined))
    except UsageError as error:
        lines.append(skipped(name, error.text, do=error.remedy))
    except BootstrapError as error:
        lines.append(unknown(name, error.text, do=error.remedy))
    except CannotReadError as error:
        lines.append(unknown(name, str(error), do=error.remedy))
    except Exception as error:
        # The text of a foreign error may hold a secret; its kind does not.
        lines.append(unknown(name, f"{type(error).__name__} was not expected", do="report it"))
    found[name] = lines or [_NOTHING]


def _collected(lines: Iterable[Line]) -> list[Line]:
    return list(lines)
