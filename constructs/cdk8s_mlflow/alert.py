"""What one Prometheus alert is made of."""

import re
from dataclasses import dataclass
from typing import Literal

INSTANCE_LABEL = "mlflow_instance"
"""Label of every alert that says of which environment it is; Prometheus has another use for ``instance``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One rule; ``lasts`` is how long ``expr`` must hold, in Prometheus's notation."""

    name: str
    expr: str
    lasts: str
    severity: Literal["critical", "warning", "info"]
    summary: str
    """One line; Prometheus fills in ``{{ $labels.… }}`` and ``{{ $value }}``."""


def runbook(alert: str) -> str:
    """Name of the page about an alert: ``MlflowDown`` has ``down``."""
    words = re.sub(r"([A-Z])", r"-\1", alert.removeprefix("Mlflow")).strip("-")
    return words.lower()
