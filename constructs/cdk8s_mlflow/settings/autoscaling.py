"""How many pods of the tracking server run under load, and the cross-checks of these settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from cdk8s_mlflow.settings.section import Quantity, Section, matching

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import Settings


class PodMetricSettings(Section):
    """A metric of the pods that a metrics adapter serves (custom.metrics.k8s.io)."""

    name: Annotated[str, matching(r"[A-Za-z_:][A-Za-z0-9_:]{0,199}", "mlflow_http_requests_per_second")]
    """Name of the metric as the adapter serves it."""

    average_value: Quantity
    """Value per pod that the autoscaler aims at."""


class AutoscalingSettings(Section):
    """A HorizontalPodAutoscaler of the tracking server; replaces ``replicas``."""

    min_replicas: Annotated[int, Field(ge=1, le=50)] = 2
    """Pods that always run."""

    max_replicas: Annotated[int, Field(ge=2, le=50)] = 4
    """Pods at most; the connection budget is counted with this number."""

    cpu_percent: Annotated[int, Field(ge=10, le=100)] = 65
    """CPU that the autoscaler aims at, as percentage of ``resources.cpu_request``; needs the metrics server."""

    pod_metrics: tuple[PodMetricSettings, ...] = ()
    """More metrics; the one that asks for the most pods decides."""

    scale_up_window_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """Seconds for which more pods must be asked for; a pod takes up to a minute until it answers."""

    scale_down_window_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """Seconds for which fewer pods must be enough; at least ``server.termination_grace_seconds``."""


def autoscaling_conflicts(settings: Settings) -> Iterator[tuple[str, str]]:
    """Dotted key and message for each autoscaling setting that cannot hold together with the others."""
    server, scaling = settings.server, settings.server.autoscaling
    if scaling is None:
        return
    if "replicas" in server.model_fields_set:
        yield "server.replicas", "has no effect beside server.autoscaling, which decides how many pods run; remove it"
    if scaling.max_replicas <= scaling.min_replicas:
        yield (
            "server.autoscaling.max_replicas",
            f"is {scaling.max_replicas}, but server.autoscaling.min_replicas is {scaling.min_replicas}; raise it, or "
            "set server.replicas instead of server.autoscaling",
        )
    if scaling.scale_down_window_seconds < server.termination_grace_seconds:
        yield (
            "server.autoscaling.scale_down_window_seconds",
            f"is {scaling.scale_down_window_seconds}, shorter than server.termination_grace_seconds "
            f"{server.termination_grace_seconds}, so that pods would be stopped while others still finish; raise it",
        )
    if not re.search(r"[1-9]", server.resources.cpu_request):
        yield (
            "server.resources.cpu_request",
            "is 0, but server.autoscaling measures CPU against it; set what a pod needs",
        )
    yield from _repeated_metrics(settings)


def _repeated_metrics(settings: Settings) -> Iterator[tuple[str, str]]:
    names = [metric.name for metric in settings.server.autoscaling.pod_metrics] if settings.server.autoscaling else []
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield "server.autoscaling.pod_metrics", f"names {name} twice; remove one"
