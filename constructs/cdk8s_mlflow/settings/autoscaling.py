"""How many pods of the tracking server run under load."""

from typing import Annotated

from pydantic import Field

from cdk8s_mlflow.settings.section import Quantity, Section, matching


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
